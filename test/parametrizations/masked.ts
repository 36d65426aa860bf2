import * as tf from '@tensorflow/tfjs-core';
import { defineParametrization, nn, Parametrization } from '../../src/index.ts';

/** Options of {@link masked}. */
interface MaskedOptions {
  /** The smallest absolute value that is kept. Default 0. */
  readonly threshold?: number;
}

/** `W = X ∘ M`: a mask keeps what was large when it was made. Torch's pruning, with its names. */
class Mask extends Parametrization {
  readonly threshold: number;
  readonly mask: tf.Tensor;

  constructor(weight: tf.Tensor, options: MaskedOptions = {}) {
    super();
    this.threshold = this.checkedOptions(options).threshold;
    this.mask = nn.buffer(() => tf.cast(tf.greaterEqual(tf.abs(weight), this.threshold), 'float32'));
  }

  override forward(x: tf.Tensor): tf.Tensor {
    return tf.mul(x, this.mask);
  }

  override rightInverse(W: tf.Tensor): tf.Tensor {
    return W;
  }

  override isPure(): boolean {
    return true;
  }
}

/** A map that this package does not have: everything that anybody has to know about it is in this file. */
export const masked = defineParametrization<Mask, MaskedOptions>({
  name: 'masked',
  class: Mask,
  hasFixedFields: true,
  options: {
    threshold: { default: 0, expected: 'a number of at least 0', accepts: (threshold) => threshold >= 0 },
  },
  make: ({ value }, options) => new Mask(value, options),
  hookKeys: {
    kind: 'masked',
    suffixes: { original: '_orig', '0.mask': '_mask' },
    rule: 'X ∘ M',
    whole: 'original',
    fits: ({ original, '0.mask': mask }) => String(original!.shape) === String(mask!.shape),
    value: ({ original, '0.mask': mask }, { mul }) => mul(original!, mask!),
  },
});
