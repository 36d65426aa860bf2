import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { checkNumber } from '../../core/checkOptions.ts';
import { refusal } from '../../core/errors.ts';
import { elementwise } from '../../ops/smooth.ts';
import { ELEMENTWISE, Elementwise } from './elementwise.ts';

/**
 * The identity between two limits.
 *
 * `y = min(max(x, minVal), maxVal)`
 *
 * @remarks
 * **Shape**: any; the output has the shape of the input.
 * **State**: none.
 * **Gradient**: of any order (`tf.clipByValue` has no second-order gradient); 0 at the limits, as in torch.
 * **Ownership**: `call` returns a new tensor; the caller disposes it, or `tf.tidy` does.
 *
 * @see torch.nn.Hardtanh
 */
export class Hardtanh extends Elementwise {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'Hardtanh';

  /** The lower limit. */
  readonly minVal: number;
  /** The upper limit. */
  readonly maxVal: number;

  /**
   * @throws {@link ParametrizeError} `OPTION` if a limit is not a finite number, or minVal is not below maxVal
   */
  constructor(minVal = -1, maxVal = 1) {
    super();
    checkNumber('Hardtanh', 'minVal', minVal);
    checkNumber('Hardtanh', 'maxVal', maxVal);
    if (minVal >= maxVal) {
      throw refusal(
        'OPTION',
        'Hardtanh',
        `minVal is ${minVal} and maxVal is ${maxVal}, minVal must be below maxVal`,
        'Pass the lower limit first.',
      );
    }
    this.minVal = minVal;
    this.maxVal = maxVal;
  }

  /** @internal */
  [ELEMENTWISE](x: Tensor): Tensor {
    return clip(x, this.minVal, this.maxVal);
  }

  override extraRepr(): string {
    return `minVal=${this.minVal}, maxVal=${this.maxVal}`;
  }
}

/**
 * A {@link ReLU} with a limit.
 *
 * `y = min(max(x, 0), 6)`
 *
 * @remarks
 * **Shape**: any; the output has the shape of the input.
 * **State**: none.
 * **Gradient**: of any order (`tf.relu6` has no second-order gradient); 0 at 0 and at 6, as in torch.
 * **Ownership**: `call` returns a new tensor; the caller disposes it, or `tf.tidy` does.
 *
 * @see torch.nn.ReLU6
 */
export class ReLU6 extends Hardtanh {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'ReLU6';

  constructor() {
    super(0, 6);
  }

  override extraRepr(): string {
    return '';
  }
}

/**
 * A piecewise linear approximation of {@link Sigmoid}.
 *
 * `y = min(max(x + 3, 0), 6) / 6`
 *
 * @remarks
 * **Shape**: any; the output has the shape of the input.
 * **State**: none.
 * **Gradient**: of any order (torch has no second-order gradient); 0 at ±3, as in torch.
 * **Ownership**: `call` returns a new tensor; the caller disposes it, or `tf.tidy` does.
 *
 * @see torch.nn.Hardsigmoid
 */
export class Hardsigmoid extends Elementwise {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'Hardsigmoid';

  /** @internal */
  [ELEMENTWISE](x: Tensor): Tensor {
    return hardsigmoid(x);
  }
}

/**
 * A {@link SiLU} with {@link Hardsigmoid} instead of the sigmoid.
 *
 * `y = x·min(max(x + 3, 0), 6) / 6`
 *
 * @remarks
 * **Shape**: any; the output has the shape of the input.
 * **State**: none.
 * **Gradient**: of any order; at ±3 the gradient of the parabola, -½ and 1½, as in torch.
 * **Ownership**: `call` returns a new tensor; the caller disposes it, or `tf.tidy` does.
 *
 * @see Howard et al. 2019, arXiv:1905.02244. torch.nn.Hardswish
 */
export class Hardswish extends Elementwise {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'Hardswish';

  /** @internal */
  [ELEMENTWISE](x: Tensor): Tensor {
    return hardswish(x);
  }
}

/** 1 where x is strictly between two numbers, else 0. */
const between = (x: Tensor, low: number, high: number): Tensor =>
  tf.mul(tf.step(tf.sub(x, low)), tf.step(tf.sub(high, x)));

/** tf.clipByValue turns NaN into a limit on wasm. */
const clipped = (x: Tensor, low: number, high: number): Tensor => tf.minimum(tf.maximum(x, low), high);

const clip = (x: Tensor, low: number, high: number): Tensor =>
  elementwise(
    (input) => clipped(input, low, high),
    (input) => between(input, low, high),
  )(x);

const hardsigmoid = elementwise(
  (x) => tf.div(clipped(tf.add(x, 3), 0, 6), 6),
  (x) => tf.div(between(x, -3, 3), 6),
);

const hardswish = elementwise(
  (x) => tf.mul(x, hardsigmoid(x)),
  (x) => {
    const below = tf.step(tf.sub(-3, x));
    const above = tf.step(tf.sub(x, 3));
    const parabola = tf.add(tf.div(clip(x, -3, 3), 3), 0.5);
    return tf.add(above, tf.mul(tf.sub(tf.sub(1, below), above), parabola));
  },
);
