import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { weightNormOp } from '../../../src/kernels/index.ts';
import { inTidy } from '../../parametrize/fixtures.ts';
import { checkLeaks } from '../checkLeaks.ts';
import { problems, tensorsOf } from './problems.ts';

const state = () => {
  const { numTensors, numBytes, numDataBuffers } = tf.memory();
  return { numTensors, numBytes, numDataBuffers, ofBackend: tf.backend().numDataIds() };
};

interface Heap {
  wasm: { _malloc(bytes: number): number; _free(address: number): void; HEAPU8: Uint8Array };
}

checkLeaks();

describe('the memory of fused weight norm', () => {
  it('is given back, also of gradients and of gradients of gradients', () => {
    fc.assert(
      fc.property(problems, (problem) => {
        const tensors = tf.tidy(() => ({ ...tensorsOf(problem) }));
        const { g, v, dW } = tensors;
        const { axes, eps } = problem;
        const before = state();
        weightNormOp(g, v, axes, eps).dispose();
        tf.dispose(tf.grads((...x) => weightNormOp(x[0]!, x[1]!, axes, eps))([g, v], dW));
        tf.dispose(tf.grad((x) => weightNormOp(x, v, axes, eps))(g, dW));
        const penalty = (...x: tf.Tensor[]) => tf.sum(weightNormOp(x[0]!, x[1]!, axes, eps));
        tf.dispose(
          tf.grads((...x) =>
            tf.addN(
              tf
                .grads(penalty)(x)
                .map((dx) => tf.sum(dx)),
            ),
          )([g, v]),
        );
        tf.tidy(() => {
          tf.grads((...x) => tf.tidy(() => weightNormOp(tf.mul(x[0]!, 2), tf.mul(x[1]!, 2), axes, eps)))([
            g,
            v,
          ]);
        });
        expect(state()).toEqual(before);
        tf.dispose(tensors);
      }),
    );
  });
});

describe.runIf(process.env['TFJS_BACKEND'] === 'wasm')('on the heap of the wasm backend, weight norm', () => {
  it('frees all that it allocates', () => {
    const { wasm } = tf.backend() as unknown as Heap;
    const [g, v] = [tf.ones([1, 200]), tf.ones([100, 200])];
    weightNormOp(g, v, [0], 0).dispose();
    const [malloc, free] = [wasm._malloc, wasm._free];
    let allocated = 0;
    wasm._malloc = (bytes) => {
      allocated++;
      return malloc(bytes);
    };
    wasm._free = (address) => {
      allocated--;
      free(address);
    };
    try {
      tf.dispose(tf.grads((...x) => weightNormOp(x[0]!, x[1]!, [0], 0))([g, v]));
      expect(allocated).toBe(0);
    } finally {
      Object.assign(wasm, { _malloc: malloc, _free: free });
      tf.dispose([g, v]);
    }
  });

  it('works on after the memory has grown', () => {
    const { wasm } = tf.backend() as unknown as Heap;
    inTidy(() => {
      const [g, v] = [tf.tensor2d([[10]]), tf.tensor2d([[3, 4]])];
      expect(weightNormOp(g, v, [1], 0)).toBeAllClose([6, 8]);
      const before = wasm.HEAPU8.length;
      tf.zeros([before / 4]);
      expect(wasm.HEAPU8.length).toBeGreaterThan(before);
      expect(weightNormOp(g, v, [1], 0)).toBeAllClose([6, 8]);
      expect(weightNormOp(tf.ones([1, 2]), v, [0], 0)).toBeAllClose([1, 1]);
    });
  });

  it('takes tensors over from another backend, for which the memory grows', async () => {
    const { wasm } = tf.backend() as unknown as Heap;
    const [rows, columns] = [wasm.HEAPU8.length / 1024, 256];
    await tf.setBackend('cpu');
    const [g, v] = [tf.fill([1, columns], 3), tf.ones([rows, columns])];
    await tf.setBackend('wasm');
    const before = wasm.HEAPU8.length;
    const W = weightNormOp(g, v, [0], 0);
    expect(wasm.HEAPU8.length).toBeGreaterThan(before);
    const wanted = 3 / Math.sqrt(rows);
    inTidy(() => expect(tf.max(tf.abs(tf.sub(W, wanted)))).toBeAllClose(0));
    tf.dispose([g, v, W]);
  });
});
