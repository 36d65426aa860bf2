import { describe, expect, it } from 'vitest';
import { outputOf } from '../outputOf.ts';

describe('a verb on a model of tf.layers', () => {
  it('names the missing import where the program has not joined the layers', async () => {
    const output = await outputOf(`
      import * as tf from '@tensorflow/tfjs';
      import { clone, describe, fold, isParametrized, weightNorm } from 'tfjs-parametrize';

      const dense = tf.layers.dense({ units: 1, inputShape: [1] });
      const model = tf.sequential({ layers: [dense] });
      const calls: (() => unknown)[] = [
        () => fold(model),
        () => describe(model),
        () => clone(model),
        () => fold(dense),
        () => weightNorm(dense as object),
        () => isParametrized(model),
      ];
      for (const call of calls) {
        try {
          console.log(call());
        } catch (error) {
          console.log((error as { code: string }).code + ': ' + (error as Error).message);
        }
      }
    `);
    const end =
      "belongs to @tensorflow/tfjs-layers, which this program has not joined. Add: import 'tfjs-parametrize/layers';";
    expect(output.trim().split('\n')).toEqual([
      `UNSUPPORTED_HOST: fold: Sequential ${end}`,
      `UNSUPPORTED_HOST: describe: Sequential ${end}`,
      `UNSUPPORTED_HOST: clone: Sequential ${end}`,
      `UNSUPPORTED_HOST: fold: Dense ${end}`,
      "UNSUPPORTED_HOST: weightNorm: Dense cannot be parametrized. For layers of @tensorflow/tfjs-layers add: import 'tfjs-parametrize/layers';",
      'false',
    ]);
  });
});
