import { writeFileSync } from 'node:fs';
import { zipSync } from 'fflate';
import { safetensorsPieces } from '../../../src/checkpoint/formats/safetensors/safetensorsPieces.ts';
import { writeNodeFile } from '../../../src/checkpoint/source/nodeFile.ts';
import type { PlannedTensor } from '../../../src/checkpoint/tensor/plannedTensor.ts';

/** Rows and columns of the matrices in the files. */
const side = 1024;
/** Bytes of one. */
export const matrixBytes = 4 * side * side;

const values = (count: number): Float32Array => Float32Array.from({ length: count }, (_, i) => (i % 97) - 48);

const matrix: PlannedTensor = {
  dtype: 'F32',
  shape: [side, side],
  read: async () => ({ dtype: 'F32', shape: [side, side], data: values(side * side) }),
};
const lengths: PlannedTensor = {
  dtype: 'F32',
  shape: [side, 1],
  read: async () => ({ dtype: 'F32', shape: [side, 1], data: values(side) }),
};

/** Weight-normalized matrices, without or with the recipe that says so. */
export async function writeLargeSafetensors(path: string, count: number, hasRecipe: boolean): Promise<void> {
  const names = Array.from({ length: count }, (_, i) => `${i}.parametrizations.weight.original`);
  const tensors = new Map(
    names.flatMap((name) => [[`${name}0`, lengths] as const, [`${name}1`, matrix] as const]),
  );
  const steps = [{ kind: 'weightNorm', options: { dim: [0], eps: 0 } }];
  const parametrizations = names.map((_, i) => ({ path: String(i), tensor: 'weight', steps }));
  const recipe = JSON.stringify({ version: 1, parametrizations });
  await writeNodeFile(path, safetensorsPieces(tensors, hasRecipe ? { 'tfjs-parametrize': recipe } : {}));
}

/** Matrices as `torch.save` writes them. */
export function writeLargeTorch(path: string, count: number): void {
  const text = (value: string): string =>
    `X${String.fromCharCode(value.length & 0xff, value.length >> 8, 0, 0)}${value}`;
  const number = (value: number): string =>
    `J${String.fromCharCode(...new Uint8Array(new Int32Array([value]).buffer))}`;
  const tensor = (key: string): string =>
    `ctorch._utils\n_rebuild_tensor_v2\n((${text('storage')}ctorch\nFloatStorage\n${text(key)}${text('cpu')}` +
    `${number(side * side)}tQ${number(0)}${number(side)}${number(side)}\x86${number(side)}${number(1)}\x86\x89` +
    'ccollections\nOrderedDict\n)RtR';
  const keys = Array.from({ length: count }, (_, i) => String(i));
  const pickle = `\x80\x02}(${keys.map((key) => text(`${key}.weight`) + tensor(key)).join('')}u.`;
  const bytes = new Uint8Array(values(side * side).buffer);
  const entries = Object.fromEntries(keys.map((key) => [`archive/data/${key}`, bytes]));
  writeFileSync(
    path,
    zipSync({ 'archive/data.pkl': Buffer.from(pickle, 'latin1'), ...entries }, { level: 0 }),
  );
}
