import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { checkInteger, checkOptions } from '../../core/checkOptions.ts';
import { refusal } from '../../core/errors.ts';
import { matMul, matMulNT } from '../../ops/matrix/matMul.ts';
import { softmax } from '../../ops/smooth.ts';
import { zeroAtRandom } from '../dropout.ts';
import { normalNumbers, uniformWithin } from '../init/random.ts';
import { affine, Linear } from '../linear/linear.ts';
import { Module } from '../module/module.ts';
import { parameter } from '../module/parameter.ts';
import { checkAttentionInputs } from './attentionInputs.ts';
import { allowed, maskSum } from './attentionMasks.ts';
import {
  type AttentionOptions,
  callOptions,
  type MultiheadAttentionOptions,
  optionsOf,
} from './attentionOptions.ts';

/**
 * Attention with several heads, each with its own projections.
 *
 * `headᵢ = softmax(Qᵢ·Kᵢᵀ / √d + mask)·Vᵢ`, `d = embedDim / numHeads`, `Q = query·W_Qᵀ + b_Q`, and the same for K and
 * V; `y = [head₁, …]·Wₒᵀ + bₒ`
 *
 * @remarks
 * **Shape**: query `[L, n, embedDim]`, key `[S, n, kdim]`, value `[S, n, vdim]`; with `batchFirst` `[n, L, embedDim]`
 * and so on; without a batch `[L, embedDim]` and so on. Output `[y, weights]`: y has the shape of the query. The
 * weights are `[n, L, S]`, or `[n, numHeads, L, S]` with `averageAttnWeights: false`; without a batch they have no n;
 * without `needWeights` they are null.
 * **State**: `in_proj_weight` `[3·embedDim, embedDim]`, with the rows in the order query, key, value. With another
 * `kdim` or `vdim`, `q_proj_weight`, `k_proj_weight` and `v_proj_weight` instead. All are Glorot-uniform;
 * `in_proj_bias` `[3·embedDim]` (zeros); `bias_k` and `bias_v` `[1, 1, embedDim]` with `addBiasKv`; `out_proj.weight`,
 * `out_proj.bias` (zeros).
 * **Gradient**: with respect to inputs, float masks and all weights, of any order.
 * **Ownership**: `call` returns new tensors; the caller disposes them, or `tf.tidy` does.
 *
 * A query without an allowed key gets weights 0; torch gives NaN. In training, the returned weights are the weights
 * after dropout, as in torch. If query, key and value are one tensor, the three projections are one product.
 *
 * @example
 * ```ts
 * const attention = new MultiheadAttention(8, 2, { batchFirst: true });
 * const x = tf.ones([3, 5, 8]);
 * const [y, weights] = attention.call(x, x, x, { isCausal: true }); // [3, 5, 8], [3, 5, 5]
 * ```
 * @see Vaswani et al. 2017. torch.nn.MultiheadAttention
 */
export class MultiheadAttention extends Module {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'MultiheadAttention';

  /** The size of the last axis of query and output. */
  readonly embedDim: number;
  /** The number of heads. */
  readonly numHeads: number;
  /** The probability that training zeroes an attention weight. */
  readonly dropout: number;
  /** The size of the last axis of the keys. */
  readonly kdim: number;
  /** The size of the last axis of the values. */
  readonly vdim: number;
  /** True if the batch is the first axis. */
  readonly batchFirst: boolean;
  /** True if the layer adds a key and a value of zeros. */
  readonly addZeroAttn: boolean;
  /** W_Q, W_K and W_V, stacked; null if keys or values have another size. */
  in_proj_weight: Tensor | null;
  /** W_Q, if keys or values have another size. */
  q_proj_weight: Tensor | null;
  /** W_K, if keys or values have another size. */
  k_proj_weight: Tensor | null;
  /** W_V, if keys or values have another size. */
  v_proj_weight: Tensor | null;
  /** b_Q, b_K and b_V; null if `bias` is false. */
  in_proj_bias: Tensor | null;
  /** The added key; null without `addBiasKv`. */
  bias_k: Tensor | null;
  /** The added value; null without `addBiasKv`. */
  bias_v: Tensor | null;
  /** Wₒ and bₒ. */
  readonly out_proj: Linear;

  /**
   * @throws {@link ParametrizeError} `OPTION` if a size is not a positive integer, the heads do not divide embedDim, or
   * an option is unknown
   */
  constructor(embedDim: number, numHeads: number, options: MultiheadAttentionOptions = {}) {
    super();
    const caller = 'MultiheadAttention';
    checkInteger(caller, 'embedDim', embedDim);
    checkInteger(caller, 'numHeads', numHeads);
    const resolved = optionsOf(caller, embedDim, options);
    const { dropout, kdim, vdim, bias, addBiasKv, addZeroAttn, batchFirst } = resolved;
    if (embedDim % numHeads !== 0) {
      throw refusal(
        'OPTION',
        caller,
        `embedDim is ${embedDim}, which ${numHeads} heads do not divide`,
        'Pass numHeads that divide embedDim.',
      );
    }
    this.embedDim = embedDim;
    this.numHeads = numHeads;
    this.dropout = dropout;
    this.kdim = kdim;
    this.vdim = vdim;
    this.batchFirst = batchFirst;
    this.addZeroAttn = addZeroAttn;
    const isOne = kdim === embedDim && vdim === embedDim;
    const glorot = (rows: number, columns: number) =>
      parameter(() => uniformWithin([rows, columns], Math.sqrt(6 / (rows + columns))));
    const added = () => parameter(() => normalNumbers([1, 1, embedDim], 1 / Math.sqrt(embedDim)));
    this.in_proj_weight = isOne ? glorot(3 * embedDim, embedDim) : null;
    this.q_proj_weight = isOne ? null : glorot(embedDim, embedDim);
    this.k_proj_weight = isOne ? null : glorot(embedDim, kdim);
    this.v_proj_weight = isOne ? null : glorot(embedDim, vdim);
    this.in_proj_bias = bias ? parameter(() => tf.zeros([3 * embedDim])) : null;
    this.bias_k = addBiasKv ? added() : null;
    this.bias_v = addBiasKv ? added() : null;
    this.out_proj = new Linear(embedDim, embedDim, { bias });
    tf.tidy(() => {
      if (bias) (this.out_proj.bias as Variable).assign(tf.zeros([embedDim]));
    });
  }

  /**
   * @param query - the positions that attend
   * @param key - the positions that are attended to
   * @param value - the values at these positions
   * @throws {@link ParametrizeError} `SHAPE` if an input or a mask does not fit; `DTYPE` or `OPTION` for an invalid
   * mask
   */
  forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    options: AttentionOptions = {},
  ): [output: Tensor, weights: Tensor | null] {
    const caller = 'MultiheadAttention';
    checkOptions(caller, options, callOptions);
    const { needWeights = true, averageAttnWeights = true } = options;
    const { numHeads: heads, embedDim } = this;
    const sizes = { ...checkAttentionInputs(this, query, key, value), heads };
    const { batch, targets, isBatch } = sizes;
    const masks = maskSum(caller, options, sizes);

    const [q, k, v] = this.project(query, key, value).map((of) => this.byHead(of, batch)) as [
      Tensor,
      Tensor,
      Tensor,
    ];
    const keys = this.withAdded(k, this.bias_k, batch);
    const values = this.withAdded(v, this.bias_v, batch);
    const count = keys.shape[1]!;

    const scores = matMulNT(tf.mul(q, 1 / Math.sqrt(embedDim / heads)), keys);
    const rows = [batch * heads * targets, count];
    const byHead = [batch, heads, targets, count];
    let weights: Tensor;
    if (masks === null) weights = tf.reshape(softmax(tf.reshape(scores, rows)), byHead);
    else {
      // Every query may attend to the added keys.
      const more = count - sizes.sources;
      const sum =
        more === 0
          ? masks
          : tf.pad(masks, [
              [0, 0],
              [0, 0],
              [0, 0],
              [0, more],
            ]);
      const masked = tf.add(tf.reshape(scores, byHead), sum);
      weights = tf.mul(tf.reshape(softmax(tf.reshape(masked, rows)), byHead), allowed(sum));
    }
    if (this.training && this.dropout > 0) weights = zeroAtRandom(weights, this.dropout);

    const attended = matMul(tf.reshape(weights, scores.shape), values);
    const joined = tf.reshape(
      tf.transpose(tf.reshape(attended, [batch, heads, targets, embedDim / heads]), [0, 2, 1, 3]),
      [batch, targets, embedDim],
    );
    const output = this.out_proj.call(
      !isBatch ? tf.squeeze(joined, [0]) : this.batchFirst ? joined : tf.transpose(joined, [1, 0, 2]),
    );
    if (!needWeights) return [output, null];
    const shown = averageAttnWeights ? tf.mean(weights, 1) : weights;
    return [output, isBatch ? shown : tf.squeeze(shown, [0])];
  }

  /** Returns queries, keys and values in the layout of the inputs. Each weight is read once. */
  private project(query: Tensor, key: Tensor, value: Tensor): Tensor[] {
    const bias = this.in_proj_bias;
    const whole = this.in_proj_weight;
    if (whole !== null && query === key && key === value) return tf.split(affine(query, whole, bias), 3, -1);
    const weights =
      whole === null
        ? [this.q_proj_weight!, this.k_proj_weight!, this.v_proj_weight!]
        : tf.split(whole, 3, 0);
    const biases = bias === null ? [null, null, null] : tf.split(bias, 3);
    return [query, key, value].map((input, i) => affine(input, weights[i]!, biases[i]!));
  }

  /** Reshapes to `[batch · heads, positions, size of a head]`. */
  private byHead(x: Tensor, batch: number): Tensor {
    const { numHeads: heads, embedDim, batchFirst } = this;
    const size = embedDim / heads;
    const length = x.size / (batch * embedDim);
    const isFirst = batchFirst || x.rank === 2;
    const apart = tf.reshape(x, [...(isFirst ? [batch, length] : [length, batch]), heads, size]);
    const perm = isFirst ? [0, 2, 1, 3] : [1, 2, 0, 3];
    return tf.reshape(tf.transpose(apart, perm), [batch * heads, length, size]);
  }

  /** Returns keys or values, followed by those that the layer adds. */
  private withAdded(x: Tensor, bias: Tensor | null, batch: number): Tensor {
    const { numHeads: heads, embedDim } = this;
    const parts = [x];
    const size = embedDim / heads;
    if (bias !== null) {
      parts.push(tf.reshape(tf.tile(tf.reshape(bias, [1, heads, 1, size]), [batch, 1, 1, 1]), [-1, 1, size]));
    }
    if (this.addZeroAttn) parts.push(tf.zeros([batch * heads, 1, size]));
    return parts.length === 1 ? x : tf.concat(parts, 1);
  }

  override extraRepr(): string {
    const { embedDim, numHeads, kdim, vdim, dropout, batchFirst } = this;
    const parts = [`embedDim=${embedDim}, numHeads=${numHeads}`];
    if (kdim !== embedDim) parts.push(`kdim=${kdim}`);
    if (vdim !== embedDim) parts.push(`vdim=${vdim}`);
    if (dropout !== 0) parts.push(`dropout=${dropout}`);
    if (batchFirst) parts.push('batchFirst=true');
    return parts.join(', ');
  }
}
