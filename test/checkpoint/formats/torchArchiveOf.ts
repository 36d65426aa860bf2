import * as tf from '@tensorflow/tfjs-core';
import { zipSync } from 'fflate';

/** The bytes of a state dict as `torch.save` writes it: an archive with a pickle, and a float32 storage of each tensor. */
export function torchArchiveOf(tensors: Readonly<Record<string, tf.Tensor>>): Uint8Array {
  const int = (n: number): string => `J${String.fromCharCode(...new Uint8Array(new Int32Array([n]).buffer))}`;
  const text = (value: string): string => {
    const bytes = Buffer.from(value, 'utf8');
    return `X${int(bytes.length).slice(1)}${bytes.toString('latin1')}`;
  };
  const tuple = (numbers: readonly number[]): string => `(${numbers.map(int).join('')}t`;
  const entries: Record<string, Uint8Array> = {};
  const items = Object.entries(tensors).map(([name, tensor], i) => {
    const data = Float32Array.from(tensor.dataSync());
    entries[`archive/data/${i}`] = new Uint8Array(data.buffer);
    const storage = `(${text('storage')}ctorch\nFloatStorage\n${text(String(i))}${text('cpu')}${int(data.length)}tQ`;
    const strides = tf.util.computeStrides(tensor.shape);
    const all = tensor.rank === 0 ? [] : [...strides, 1];
    return (
      text(name) +
      `ctorch._utils\n_rebuild_tensor_v2\n(${storage}${int(0)}${tuple(tensor.shape)}${tuple(all)}` +
      `\x89ccollections\nOrderedDict\n)RtR`
    );
  });
  const pickle = `\x80\x02ccollections\nOrderedDict\n)R(${items.join('')}u.`;
  return zipSync(
    { 'archive/data.pkl': Buffer.from(pickle, 'latin1'), ...entries, 'archive/version': Buffer.from('3\n') },
    { level: 0 },
  );
}
