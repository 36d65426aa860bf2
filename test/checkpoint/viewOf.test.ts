import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { loadCheckpoint, saveCheckpoint } from '../../src/checkpoint/index.ts';
import { disposeModel } from '../layers/layerCases.ts';

describe('a model of tf.layers, as long as nothing imports tfjs-parametrize/layers', () => {
  const refusal = {
    code: 'UNSUPPORTED_HOST',
    message: expect.stringMatching(/got Sequential\. .*import 'tfjs-parametrize\/layers' first/),
  };

  it('is refused with the import that it needs', async () => {
    const model = tf.sequential({ layers: [tf.layers.dense({ units: 2, inputShape: [2] })] });
    await expect(loadCheckpoint(model as never, new Uint8Array(8))).rejects.toMatchObject(refusal);
    await expect(saveCheckpoint(model as never, 'file.safetensors')).rejects.toMatchObject(refusal);
    disposeModel(model);
  });
});
