import { describe, expect, it } from 'vitest';
import { outputOf } from '../outputOf.ts';

// The tests run with the union package @tensorflow/tfjs; these programs run in processes of their own.

describe.runIf(process.env['TFJS_BACKEND'] === 'cpu')('the packages that a program imports', () => {
  it('may be tfjs-core, tfjs-layers and one backend', async () => {
    const output = await outputOf(`
      import '@tensorflow/tfjs-backend-cpu';
      import * as tf from '@tensorflow/tfjs-core';
      import { layers, sequential } from '@tensorflow/tfjs-layers';
      import { valueOf, unitNorm } from 'tfjs-parametrize';
      import { syncModel } from 'tfjs-parametrize/layers';

      const dense = layers.dense({ units: 2, inputShape: [3] });
      const model = sequential({ layers: [dense] });
      model.compile({ optimizer: 'adam', loss: 'meanSquaredError' });
      unitNorm(dense, 'kernel');
      syncModel(model);
      await model.fit(tf.ones([4, 3]), tf.ones([4, 2]), { epochs: 2, verbose: 0 });
      const norms = tf.sqrt(tf.sum(tf.square(valueOf(dense, 'kernel')), 0));
      console.log([...(await norms.data())].map((norm) => norm.toFixed(5)).join());
    `);
    expect(output.trim()).toBe('1.00000,1.00000');
  });

  it('must include tfjs-parametrize/layers for layers, and the error says so', async () => {
    const output = await outputOf(`
      import * as tf from '@tensorflow/tfjs';
      import { weightNorm } from 'tfjs-parametrize';

      const dense = tf.layers.dense({ units: 2, inputShape: [3] });
      tf.sequential({ layers: [dense] });
      try {
        weightNorm(dense as never);
      } catch (error) {
        console.log((error as Error).message);
      }
    `);
    expect(output.trim()).toContain("import 'tfjs-parametrize/layers';");
  });
});
