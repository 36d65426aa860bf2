import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { checkBoolean, checkInteger, checkOptions } from '../../core/checkOptions.ts';
import { refusal } from '../../core/errors.ts';
import { formatShape } from '../../core/shapes.ts';
import { matMulNT } from '../../ops/matrix/matMul.ts';
import { uniformWithin } from '../init/random.ts';
import { holdsTensor } from '../module/fields.ts';
import { Module } from '../module/module.ts';
import { parameter } from '../module/parameter.ts';
import { plusBias } from './linear.ts';

/** Options of {@link Bilinear}. */
export interface BilinearOptions {
  /** True if the layer adds a bias. Default true. */
  readonly bias?: boolean;
}

/**
 * A map that is linear in each of two inputs.
 *
 * `yₖ = x₁ᵀ·Wₖ·x₂ + bₖ`
 *
 * @remarks
 * **Shape**: inputs `[..., in1Features]` and `[..., in2Features]` with the same leading axes; output
 * `[..., outFeatures]`.
 * **State**: `weight` `[outFeatures, in1Features, in2Features]`, `bias` `[outFeatures]` (absent if `bias` is false);
 * both from U(-1/√in1Features, 1/√in1Features).
 * **Gradient**: with respect to both inputs, weight and bias, of any order.
 * **Ownership**: `call` returns a new tensor; the caller disposes it, or `tf.tidy` does.
 *
 * @example
 * ```ts
 * const layer = new Bilinear(4, 3, 8);
 * const y = layer.call(tf.ones([2, 4]), tf.ones([2, 3])); // [2, 8]
 * ```
 * @see torch.nn.Bilinear
 */
export class Bilinear extends Module {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'Bilinear';

  /** The size of the last axis of the first input. */
  readonly in1Features: number;
  /** The size of the last axis of the second input. */
  readonly in2Features: number;
  /** The size of the last axis of the output. */
  readonly outFeatures: number;
  /** W, `[outFeatures, in1Features, in2Features]`. */
  weight: Tensor;
  /** b, `[outFeatures]`, or null. */
  bias: Tensor | null;

  /** @throws {@link ParametrizeError} `OPTION` if a size is not a positive integer or an option is unknown */
  constructor(in1Features: number, in2Features: number, outFeatures: number, options: BilinearOptions = {}) {
    super();
    checkInteger('Bilinear', 'in1Features', in1Features);
    checkInteger('Bilinear', 'in2Features', in2Features);
    checkInteger('Bilinear', 'outFeatures', outFeatures);
    checkOptions('Bilinear', options, ['bias']);
    const { bias = true } = options;
    checkBoolean('Bilinear', 'bias', bias);
    this.in1Features = in1Features;
    this.in2Features = in2Features;
    this.outFeatures = outFeatures;
    const bound = 1 / Math.sqrt(in1Features);
    this.weight = parameter(() => uniformWithin([outFeatures, in1Features, in2Features], bound));
    this.bias = bias ? parameter(() => uniformWithin([outFeatures], bound)) : null;
  }

  /**
   * @throws {@link ParametrizeError} `SHAPE` if the last axis of an input is not `in1Features` or `in2Features`, or
   * their leading axes differ
   */
  forward(x1: Tensor, x2: Tensor): Tensor {
    const { in1Features, in2Features, outFeatures } = this;
    checkInputs(x1, x2, in1Features, in2Features);
    const leading = x1.shape.slice(0, -1);
    const size = tf.util.sizeFromShape(leading);
    // One matrix product gives all Wₖ·x₂. The dot products with x₁ follow.
    const maps = tf.reshape(this.weight, [outFeatures * in1Features, in2Features]);
    const mapped = matMulNT(tf.reshape(x2, [size, in2Features]), maps);
    const products = tf.mul(
      tf.reshape(mapped, [size, outFeatures, in1Features]),
      tf.reshape(x1, [size, 1, in1Features]),
    );
    return tf.reshape(plusBias(tf.sum(products, 2), this.bias), [...leading, outFeatures]);
  }

  override extraRepr(): string {
    return `in1Features=${this.in1Features}, in2Features=${this.in2Features}, outFeatures=${this.outFeatures}, bias=${holdsTensor(this, 'bias')}`;
  }
}

function checkInputs(x1: Tensor, x2: Tensor, in1Features: number, in2Features: number): void {
  const fits = x1.shape.at(-1) === in1Features && x2.shape.at(-1) === in2Features;
  if (fits && tf.util.arraysEqual(x1.shape.slice(0, -1), x2.shape.slice(0, -1))) return;
  throw refusal(
    'SHAPE',
    'Bilinear',
    `the inputs have shapes ${formatShape(x1.shape)} and ${formatShape(x2.shape)}, they must have ${in1Features} (in1Features) and ${in2Features} (in2Features) as last axes and all others alike`,
    'Reshape or broadcast the inputs, or make the layer with other features.',
  );
}
