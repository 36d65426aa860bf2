import '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { toBeAllClose } from './toBeAllClose.ts';

expect.extend({ toBeAllClose });

const backend = process.env['TFJS_BACKEND'] ?? 'cpu';

// `FC_SEED` and `FC_RUNS` repeat or deepen a run; the default seed makes every run of the suite the same. On webgl and
// webgpu, operations of tfjs compile a shader for each shape.
fc.configureGlobal({
  seed: Number(process.env['FC_SEED'] ?? 42),
  numRuns: Number(process.env['FC_RUNS'] ?? (backend.startsWith('webg') ? 15 : 50)),
});

// Where no WebGPU is, the package has nothing to register.
if (backend === 'webgpu') await import('@tensorflow/tfjs-backend-webgpu');

beforeAll(async () => {
  if (!(await tf.setBackend(backend))) throw new Error(`tfjs has no backend ${backend} here`);
  await tf.ready();
});

// Law L4 in every test: a test disposes what it made, and whatever is left over is a leak of the library.
let before: { numTensors: number; numBytes: number };
beforeEach(() => {
  const { numTensors, numBytes } = tf.memory();
  before = { numTensors, numBytes };
});
afterEach((context) => {
  if (context.task.result?.state === 'fail') return;
  const { numTensors, numBytes } = tf.memory();
  expect({ numTensors, numBytes }, 'tensors and bytes after the test').toEqual(before);
});
