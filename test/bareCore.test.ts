import { describe, expect, it } from 'vitest';
import { outputOf } from './outputOf.ts';

// The tests run with @tensorflow/tfjs, which registers gradients. A program for inference may have tfjs-core and a backend
// only, so this one runs in a process of its own.

describe('with tfjs-core and a backend, without gradients', () => {
  it('registers, reads, assigns and removes, and names the missing import when a gradient is asked for', async () => {
    const output = await outputOf(`
      import '@tensorflow/tfjs-backend-cpu';
      import * as tf from '@tensorflow/tfjs-core';
      import { nn, ParametrizeError, removeParametrizations, weightNorm } from 'tfjs-parametrize';

      const layer = weightNorm(new nn.Linear(2, 1, { bias: false }));
      layer.weight = tf.tensor2d([[3, 4]]);
      console.log(layer.call(tf.ones([1, 2])).shape.join());
      try {
        tf.variableGrads(() => tf.sum(layer.weight) as tf.Scalar);
      } catch (error) {
        if (!(error instanceof ParametrizeError)) throw error;
        console.log(error.code + ': ' + error.message);
      }
      removeParametrizations(layer, 'weight');
      console.log((await layer.weight.data()).join());
    `);
    expect(output.trim().split('\n')).toEqual([
      '1,1',
      "NO_GRADIENTS: reading Linear.weight in a gradient: no gradients are registered in tfjs. Add: import '@tensorflow/tfjs';",
      '3,4',
    ]);
  });
});
