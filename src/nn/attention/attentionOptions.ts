import type { Tensor } from '@tensorflow/tfjs-core';
import { checkBoolean, checkInteger, checkOptions, checkProbability } from '../../core/checkOptions.ts';

/** Options of `MultiheadAttention`. */
export interface MultiheadAttentionOptions {
  /** The probability by which training zeroes an attention weight. Default 0. */
  readonly dropout?: number;
  /** True if the projections add biases. Default true. */
  readonly bias?: boolean;
  /** True if the layer adds a learned key and value to the keys and values of the input. Default false. */
  readonly addBiasKv?: boolean;
  /** True if the layer adds a key and a value of zeros. Default false. */
  readonly addZeroAttn?: boolean;
  /** The size of the last axis of the keys. Default `embedDim`. */
  readonly kdim?: number;
  /** The size of the last axis of the values. Default `embedDim`. */
  readonly vdim?: number;
  /** True if the batch is the first axis of inputs and output, before the positions. Default false. */
  readonly batchFirst?: boolean;
}

/** Options of one call of `MultiheadAttention`. */
export interface AttentionOptions {
  /**
   * The keys that no query attends to, `[n, S]`, or `[S]` without a batch. A bool mask is true for such keys; a float32
   * mask is added to the scores.
   */
  readonly keyPaddingMask?: Tensor | null;
  /** True if the call also returns the attention weights. Default true. */
  readonly needWeights?: boolean;
  /**
   * The forbidden pairs, `[L, S]`, or `[n·numHeads, L, S]` for each head. A bool mask is true for such pairs; a float32
   * mask is added to the scores.
   */
  readonly attnMask?: Tensor | null;
  /** True if the weights are averaged over the heads. Default true. */
  readonly averageAttnWeights?: boolean;
  /**
   * True if position i attends only to positions up to i. torch also needs an attnMask for this; here none is needed.
   * Default false.
   */
  readonly isCausal?: boolean;
}

/** The names of {@link AttentionOptions}. */
export const callOptions = ['keyPaddingMask', 'needWeights', 'attnMask', 'averageAttnWeights', 'isCausal'];

/**
 * Checks the options of a constructor and fills in the defaults.
 *
 * @throws {@link ParametrizeError} `OPTION`
 */
export function optionsOf(
  caller: string,
  embedDim: number,
  options: MultiheadAttentionOptions,
): Required<MultiheadAttentionOptions> {
  const defaults = {
    dropout: 0,
    bias: true,
    addBiasKv: false,
    addZeroAttn: false,
    kdim: embedDim,
    vdim: embedDim,
    batchFirst: false,
  };
  checkOptions(caller, options, Object.keys(defaults));
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const resolved = { ...defaults, ...Object.fromEntries(given) } as Required<MultiheadAttentionOptions>;
  checkProbability(caller, 'dropout', resolved.dropout);
  for (const name of ['kdim', 'vdim'] as const) checkInteger(caller, name, resolved[name]);
  for (const name of ['bias', 'addBiasKv', 'addZeroAttn', 'batchFirst'] as const) {
    checkBoolean(caller, name, resolved[name]);
  }
  return resolved;
}
