import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { checkBoolean, checkInteger, checkOptions } from '../../core/checkOptions.ts';
import { refusal } from '../../core/errors.ts';
import { formatShape } from '../../core/shapes.ts';
import { broadcastParameter } from '../../ops/broadcastParameter.ts';
import { matMulNT } from '../../ops/matrix/matMul.ts';
import { uniformWithin } from '../init/random.ts';
import { holdsTensor } from '../module/fields.ts';
import { Module } from '../module/module.ts';
import { parameter } from '../module/parameter.ts';

/** Options of {@link Linear}. */
export interface LinearOptions {
  /** True if the layer adds a bias. Default true. */
  readonly bias?: boolean;
}

/**
 * An affine map of the last axis.
 *
 * `y = x·Wᵀ + b`
 *
 * @remarks
 * **Shape**: input `[..., inFeatures]`, rank at least 1; output `[..., outFeatures]`.
 * **State**: `weight` `[outFeatures, inFeatures]`, `bias` `[outFeatures]` (absent if `bias` is false); both from
 * U(-1/√inFeatures, 1/√inFeatures).
 * **Gradient**: with respect to input, weight and bias, of any order.
 * **Ownership**: `call` returns a new tensor; the caller disposes it, or `tf.tidy` does.
 *
 * @example
 * ```ts
 * const layer = new Linear(4, 8);
 * const y = layer.call(tf.ones([2, 4])); // [2, 8]
 * ```
 * @see torch.nn.Linear
 */
export class Linear extends Module {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'Linear';

  /** The size of the last axis of the input. */
  readonly inFeatures: number;
  /** The size of the last axis of the output. */
  readonly outFeatures: number;
  /** W, `[outFeatures, inFeatures]`. */
  weight: Tensor;
  /** b, `[outFeatures]`, or null. */
  bias: Tensor | null;

  /** @throws {@link ParametrizeError} `OPTION` if a size is not a positive integer or an option is unknown */
  constructor(inFeatures: number, outFeatures: number, options: LinearOptions = {}) {
    super();
    checkInteger('Linear', 'inFeatures', inFeatures);
    checkInteger('Linear', 'outFeatures', outFeatures);
    checkOptions('Linear', options, ['bias']);
    const { bias = true } = options;
    checkBoolean('Linear', 'bias', bias);
    this.inFeatures = inFeatures;
    this.outFeatures = outFeatures;
    const bound = 1 / Math.sqrt(inFeatures);
    this.weight = parameter(() => uniformWithin([outFeatures, inFeatures], bound));
    this.bias = bias ? parameter(() => uniformWithin([outFeatures], bound)) : null;
  }

  /**
   * @throws {@link ParametrizeError} `SHAPE` if the last axis of the input is not `inFeatures`
   */
  forward(x: Tensor): Tensor {
    if (x.shape.at(-1) !== this.inFeatures) {
      throw refusal(
        'SHAPE',
        'Linear',
        `the input has shape ${formatShape(x.shape)}, its last axis must have ${this.inFeatures} (inFeatures)`,
        'Reshape the input, or make the layer with other inFeatures.',
      );
    }
    return affine(x, this.weight, this.bias);
  }

  override extraRepr(): string {
    return `inFeatures=${this.inFeatures}, outFeatures=${this.outFeatures}, bias=${holdsTensor(this, 'bias')}`;
  }
}

/** `x·Wᵀ + b` over the last axis of x, with W `[out, in]`; recurrent gates use it for their input. */
export function affine(x: Tensor, weight: Tensor, bias: Tensor | null): Tensor {
  const [outFeatures, inFeatures] = weight.shape as [number, number];
  const leading = x.shape.slice(0, -1);
  // One matrix product covers all leading axes. tfjs would broadcast the weight over them.
  const rows = tf.reshape(x, [tf.util.sizeFromShape(leading), inFeatures]);
  const product = matMulNT(rows, weight);
  return tf.reshape(plusBias(product, bias), [...leading, outFeatures]);
}

/** Returns `x + b`, with b added to each row. b may be null. */
export function plusBias(rows: Tensor, bias: Tensor | null): Tensor {
  return bias === null ? rows : tf.add(rows, broadcastParameter(bias, rows));
}
