import * as tf from '@tensorflow/tfjs';
import { unitNorm, valueOf, weightNorm } from 'tfjs-parametrize';
import { loadCheckpoint, readSafetensors, saveCheckpoint } from 'tfjs-parametrize/checkpoint';
import { parametrizationsOf, parametrized } from 'tfjs-parametrize/decorators';
import 'tfjs-parametrize/layers';
import { weightNorm as hookedWeightNorm, removeWeightNorm } from 'tfjs-parametrize/legacy';
import { Linear, Module, manualSeed, parameter } from 'tfjs-parametrize/nn';
import { show, showState } from './show.ts';

// By names, from every entry; that of layers for its effect alone.

manualSeed(2);
console.warn = () => undefined;

class Net extends Module {
  @parametrized(weightNorm, { dim: 1 }) weight: tf.Tensor = parameter(() => tf.ones([2, 2]));
  @parametrized(unitNorm) below = new Linear(2, 2, { bias: false });

  override forward(x: tf.Tensor): tf.Tensor {
    return this.below.call(tf.matMul(x, this.weight));
  }
}

const net = new Net();
console.log(
  parametrizationsOf(Net)
    .map(({ field }) => field)
    .join(),
);
showState('decorated', net.stateDict());
const saved = await bytesOf((stream) => saveCheckpoint(net, stream, { keyFormat: 'legacy' }));
const { tensors } = readSafetensors(saved);
console.log(Object.keys(tensors).join());
const report = await loadCheckpoint(new Net(), saved);
console.log(report.mapped.length);

const hooked = hookedWeightNorm(new Linear(2, 1));
showState('hooked', hooked.stateDict());
showState('hooked, modern', hooked.stateDict({ keyFormat: 'modern' }));
removeWeightNorm(hooked);

const dense = tf.layers.dense({ units: 2, inputShape: [3], kernelInitializer: 'ones' });
const layers = tf.sequential({ layers: [dense] });
unitNorm(dense, 'kernel');
layers.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
await layers.fit(tf.ones([4, 3]), tf.ones([4, 2]), { epochs: 1, verbose: 0 });
show('norms', tf.sqrt(tf.sum(tf.square(valueOf(dense, 'kernel')), 0)));
const state = await bytesOf((stream) => saveCheckpoint(layers, stream, { keyFormat: 'modern' }));
console.log(Object.keys(readSafetensors(state).tensors).join());

async function bytesOf(save: (stream: WritableStream<Uint8Array>) => Promise<unknown>): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  await save(new WritableStream({ write: (piece) => void pieces.push(piece.slice()) }));
  return new Uint8Array(await new Blob(pieces as BlobPart[]).arrayBuffer());
}
