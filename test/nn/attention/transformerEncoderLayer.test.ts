import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { orthogonal } from '../../../src/index.ts';
import { TransformerEncoderLayer } from '../../../src/nn/index.ts';

describe('TransformerEncoderLayer', () => {
  it('passes masks on to its attention', () => {
    const layer = new TransformerEncoderLayer(4, 2, { dimFeedforward: 3, dropout: 0, batchFirst: true });
    tf.tidy(() => {
      const x = tf.randomNormal([2, 3, 4]);
      const causal = layer.call(x, { isCausal: true });
      const srcMask = tf.tensor2d([0, 1, 1, 0, 0, 1, 0, 0, 0], [3, 3], 'bool');
      expect(layer.call(x, { srcMask })).toBeAllClose(causal);
      const changed = tf.concat([tf.slice(x, [0, 0, 0], [2, 2, 4]), tf.ones([2, 1, 4])], 1);
      const firstTwo = (y: tf.Tensor) => tf.slice(y, [0, 0, 0], [2, 2, 4]);
      expect(firstTwo(layer.call(changed, { isCausal: true }))).toBeAllClose(firstTwo(causal));
      const srcKeyPaddingMask = tf.tensor2d([0, 0, 1, 0, 0, 1], [2, 3], 'bool');
      expect(firstTwo(layer.call(changed, { srcKeyPaddingMask }))).toBeAllClose(
        firstTwo(layer.call(x, { srcKeyPaddingMask })),
      );
    });
    layer.dispose();
  });

  it('computes with a function for the activation, and with orthogonal weights', () => {
    const layer = new TransformerEncoderLayer(4, 2, { dimFeedforward: 4, activation: tf.tanh, dropout: 0 });
    orthogonal(layer.linear1);
    tf.tidy(() => {
      const y = layer.call(tf.randomNormal([3, 2, 4]));
      expect(y.shape).toEqual([3, 2, 4]);
      const { grads } = tf.variableGrads(
        () => tf.sum(tf.square(layer.call(tf.ones([3, 2, 4])))) as tf.Scalar,
        layer.parameters(),
      );
      expect(Object.keys(grads)).toHaveLength(layer.parameters().length);
    });
    layer.dispose();
  });

  it('refuses sizes and options before it makes a weight', () => {
    for (const options of [
      { dimFeedforward: 0 },
      { dropout: -1 },
      { activation: 'swish' as never },
      { layerNormEps: Number.NaN },
      { normFirst: 1 as never },
      { bias: 'no' as never },
      { norm_first: true } as never,
    ]) {
      expect(() => new TransformerEncoderLayer(4, 2, options)).toThrow(
        expect.objectContaining({ code: 'OPTION' }),
      );
    }
    expect(() => new TransformerEncoderLayer(4, 3)).toThrow('3 heads do not divide');
    const layer = new TransformerEncoderLayer(4, 2, { normFirst: true });
    expect(String(layer)).toContain('normFirst=true');
    const x = tf.zeros([1, 4]);
    expect(() => layer.call(x, { mask: null } as never)).toThrow("'mask' is not an option");
    x.dispose();
    layer.dispose();
  });
});
