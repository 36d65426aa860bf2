import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import {
  checkBoolean,
  checkInteger,
  checkNumber,
  checkOptions,
  checkProbability,
} from '../../core/checkOptions.ts';
import { refusal } from '../../core/errors.ts';
import { GELU } from '../activation/gelu.ts';
import { Dropout } from '../dropout.ts';
import { Linear } from '../linear/linear.ts';
import { Module } from '../module/module.ts';
import { LayerNorm } from '../normalization/layerNorm.ts';
import { MultiheadAttention } from './multiheadAttention.ts';

/** Options of {@link TransformerEncoderLayer}. */
export interface TransformerEncoderLayerOptions {
  /** The size between the two linear maps. Default 2048. */
  readonly dimFeedforward?: number;
  /** The probability of every dropout of the layer. Default 0.1. */
  readonly dropout?: number;
  /** The function between the two linear maps. Default `'relu'`. */
  readonly activation?: 'relu' | 'gelu' | ((x: Tensor) => Tensor);
  /** The number added to the variance. Default 1e-5. */
  readonly layerNormEps?: number;
  /** True if the batch is the first axis. Default false. */
  readonly batchFirst?: boolean;
  /** True if the norms come before attention and linear maps instead of after the sums. Default false. */
  readonly normFirst?: boolean;
  /** True if linear maps, attention and norms have biases. Default true. */
  readonly bias?: boolean;
}

/** Options of one call of {@link TransformerEncoderLayer}. */
export interface EncoderOptions {
  /** The `attnMask` of {@link MultiheadAttention}. */
  readonly srcMask?: Tensor | null;
  /** The `keyPaddingMask` of {@link MultiheadAttention}. */
  readonly srcKeyPaddingMask?: Tensor | null;
  /** The `isCausal` of {@link MultiheadAttention}. Default false. */
  readonly isCausal?: boolean;
}

const known = ['dimFeedforward', 'dropout', 'activation', 'layerNormEps', 'batchFirst', 'normFirst', 'bias'];

/**
 * Self-attention and a network of two linear maps, each with a residual sum and a norm.
 *
 * `z = norm₁(x + attention(x))`, `y = norm₂(z + W₂·φ(W₁·z + b₁) + b₂)`; with `normFirst`
 * `z = x + attention(norm₁(x))`, `y = z + W₂·φ(W₁·norm₂(z) + b₁) + b₂`
 *
 * @remarks
 * **Shape**: input `[L, n, dModel]`, `[n, L, dModel]` with `batchFirst`, or `[L, dModel]` without a batch; the output
 * has the shape of the input.
 * **State**: the state of its parts: `self_attn` ({@link MultiheadAttention}), `linear1`, `linear2` ({@link Linear}),
 * `norm1`, `norm2` ({@link LayerNorm}).
 * **Gradient**: with respect to input, float masks and all weights, of any order.
 * **Ownership**: `call` returns a new tensor; the caller disposes it, or `tf.tidy` does.
 *
 * @example
 * ```ts
 * const layer = new TransformerEncoderLayer(8, 2, { dimFeedforward: 32, batchFirst: true });
 * const y = layer.call(tf.ones([3, 5, 8]), { isCausal: true }); // [3, 5, 8]
 * ```
 * @see Vaswani et al. 2017. torch.nn.TransformerEncoderLayer
 */
export class TransformerEncoderLayer extends Module {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'TransformerEncoderLayer';

  /** True if the norms come first. */
  readonly normFirst: boolean;
  /** φ */
  readonly activation: (x: Tensor) => Tensor;
  /** The attention. */
  readonly self_attn: MultiheadAttention;
  /** W₁ and b₁. */
  readonly linear1: Linear;
  /** The dropout after φ. */
  readonly dropout: Dropout;
  /** W₂ and b₂. */
  readonly linear2: Linear;
  /** The norm of the attention. */
  readonly norm1: LayerNorm;
  /** The norm of the linear maps. */
  readonly norm2: LayerNorm;
  /** The dropout after the attention. */
  readonly dropout1: Dropout;
  /** The dropout after the linear maps. */
  readonly dropout2: Dropout;

  /**
   * @throws {@link ParametrizeError} `OPTION` if a size is not a positive integer, the heads do not divide dModel, or
   * an option or its value is unknown
   */
  constructor(dModel: number, nhead: number, options: TransformerEncoderLayerOptions = {}) {
    super();
    const caller = 'TransformerEncoderLayer';
    checkOptions(caller, options, known);
    const { dimFeedforward = 2048, dropout = 0.1, activation = 'relu', layerNormEps = 1e-5 } = options;
    const { batchFirst = false, normFirst = false, bias = true } = options;
    for (const [name, size] of Object.entries({ dModel, nhead, dimFeedforward })) {
      checkInteger(caller, name, size);
    }
    checkProbability(caller, 'dropout', dropout);
    checkNumber(caller, 'layerNormEps', layerNormEps);
    for (const [name, value] of Object.entries({ batchFirst, normFirst, bias })) {
      checkBoolean(caller, name, value);
    }
    this.activation = activationOf(caller, activation);
    this.normFirst = normFirst;
    this.dropout = new Dropout(dropout);
    this.self_attn = new MultiheadAttention(dModel, nhead, { dropout, bias, batchFirst });
    this.linear1 = new Linear(dModel, dimFeedforward, { bias });
    this.linear2 = new Linear(dimFeedforward, dModel, { bias });
    this.norm1 = new LayerNorm(dModel, { eps: layerNormEps, bias });
    this.norm2 = new LayerNorm(dModel, { eps: layerNormEps, bias });
    this.dropout1 = new Dropout(dropout);
    this.dropout2 = new Dropout(dropout);
  }

  /** @throws {@link ParametrizeError} `SHAPE`, `DTYPE` or `OPTION`, as for {@link MultiheadAttention.forward} */
  forward(src: Tensor, options: EncoderOptions = {}): Tensor {
    checkOptions('TransformerEncoderLayer', options, ['srcMask', 'srcKeyPaddingMask', 'isCausal']);
    const attend = (x: Tensor): Tensor => this.dropout1.call(this.attention(x, options));
    const feed = (x: Tensor): Tensor => {
      const hidden = this.dropout.call(this.activation(this.linear1.call(x)));
      return this.dropout2.call(this.linear2.call(hidden));
    };
    if (this.normFirst) {
      const z = tf.add(src, attend(this.norm1.call(src)));
      return tf.add(z, feed(this.norm2.call(z)));
    }
    const z = this.norm1.call(tf.add(src, attend(src)));
    return this.norm2.call(tf.add(z, feed(z)));
  }

  private attention(x: Tensor, { srcMask, srcKeyPaddingMask, isCausal = false }: EncoderOptions): Tensor {
    const [y] = this.self_attn.call(x, x, x, {
      attnMask: srcMask ?? null,
      keyPaddingMask: srcKeyPaddingMask ?? null,
      needWeights: false,
      isCausal,
    });
    return y;
  }

  override extraRepr(): string {
    return this.normFirst ? 'normFirst=true' : '';
  }
}

function activationOf(
  caller: string,
  activation: 'relu' | 'gelu' | ((x: Tensor) => Tensor),
): (x: Tensor) => Tensor {
  if (typeof activation === 'function') return activation;
  if (activation === 'relu') return tf.relu;
  if (activation === 'gelu') {
    const gelu = new GELU();
    return (x) => gelu.call(x);
  }
  throw refusal(
    'OPTION',
    caller,
    `activation is ${String(activation)}, it must be 'relu', 'gelu' or a function`,
    'Pass a function of a tensor for any other activation.',
  );
}
