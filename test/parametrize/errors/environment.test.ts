import { describe, expect, it } from 'vitest';
import { outputOf } from '../../outputOf.ts';

// In processes of their own: the tests have a backend and gradients.

describe('a program', () => {
  it('without any backend is told which import is missing', async () => {
    const output = await outputOf(`
      import '@tensorflow/tfjs-core';
      import { isParametrized, registerParametrization, removeParametrizations, weightNorm } from 'tfjs-parametrize';

      const host = { weight: null };
      const calls = [
        () => registerParametrization(host, 'weight', (x) => x),
        () => weightNorm(host),
        () => removeParametrizations(host, 'weight'),
        () => isParametrized(host, 'weight'),
      ];
      for (const call of calls) {
        try {
          console.log(call());
        } catch (error) {
          console.log((error as { code: string }).code + ': ' + (error as Error).message);
        }
      }
    `);
    expect(output.trim().split('\n')).toEqual([
      "NO_BACKEND: registerParametrization: tfjs has no backend. Add: import '@tensorflow/tfjs'; or a @tensorflow/tfjs-backend-… package.",
      "NO_BACKEND: weightNorm: tfjs has no backend. Add: import '@tensorflow/tfjs'; or a @tensorflow/tfjs-backend-… package.",
      "NOT_PARAMETRIZED: removeParametrizations: Object has no parametrization on 'weight'. Parametrized: nothing.",
      'false',
    ]);
  });

  it('without gradients is told of hidden dependencies, too, and may read, assign, transfer and copy', async () => {
    const output = await outputOf(`
      import '@tensorflow/tfjs-backend-cpu';
      import * as tf from '@tensorflow/tfjs-core';
      import { cached, nn, pure, registerParametrization, transferParametrizationsAndParams } from 'tfjs-parametrize';

      const secret = tf.variable(tf.scalar(2));
      const layer = new nn.Linear(1, 1, { bias: false });
      try {
        registerParametrization(layer, 'weight', pure((x) => tf.mul(x, secret)));
      } catch (error) {
        console.log((error as { code: string }).code);
      }
      registerParametrization(layer, 'weight', { forward: (x) => tf.mul(x, 3), rightInverse: (y) => tf.div(y, 3) });
      layer.weight = tf.tensor2d([[6]]);
      console.log(cached(() => (layer.weight === layer.weight)));
      const other = transferParametrizationsAndParams(layer, new nn.Linear(1, 1, { bias: false }));
      console.log(other.weight.dataSync().join(), layer.clone().weight.dataSync().join());
    `);
    expect(output.trim().split('\n')).toEqual(['HIDDEN_DEPENDENCY', 'true', '6 6']);
  });
});
