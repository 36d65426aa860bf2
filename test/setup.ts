import '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { noteVariables } from './ownVariables.ts';
import { toBeAllClose } from './toBeAllClose.ts';
import { hasLostGPU, skipWithoutGPU, watchGPU } from './watchGPU.ts';

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
  // A GPU in software takes a while to come back after the page before has lost it.
  for (let attempts = backend === 'webgpu' ? 10 : 1; !(await tf.setBackend(backend)); attempts--) {
    if (attempts <= 1) throw new Error(`tfjs has no backend ${backend} here`);
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
  await tf.ready();
  if (backend === 'webgpu') watchGPU();
});

// Law L4 in every test: a test disposes what it made, and whatever is left over is a leak of the library.
let before: { numTensors: number; numBytes: number };
beforeEach((context) => {
  skipWithoutGPU(context);
  noteVariables();
  const { numTensors, numBytes } = tf.memory();
  before = { numTensors, numBytes };
});
afterEach(async (context) => {
  const { result } = context.task;
  if (result?.state === 'fail' && backend === 'webgpu') {
    // The page is told of the loss only when it waits.
    await new Promise((resolve) => setTimeout(resolve, 100));
    if (hasLostGPU()) result.state = 'skip';
  }
  if (result?.state === 'fail' || hasLostGPU()) return;
  const { numTensors, numBytes } = tf.memory();
  expect({ numTensors, numBytes }, 'tensors and bytes after the test').toEqual(before);
});
