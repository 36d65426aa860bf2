import { zipSync } from 'fflate';
import { expect, it } from 'vitest';
import { readTorch } from '../../../../src/checkpoint/index.ts';

it.each([
  ['weight.npy', 'without data.pkl, of NumPy arrays (.npz)'],
  ['weight.txt', 'a zip archive without data.pkl'],
])('says what an archive with %s is', (name, text) => {
  expect(() => readTorch(zipSync({ [name]: new Uint8Array([1, 2, 3]) }))).toThrow(text);
});
