import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { checkBoolean, checkInteger, checkOptions } from '../core/checkOptions.ts';
import { refusal } from '../core/errors.ts';
import { formatShape } from '../core/shapes.ts';
import { typeName } from '../core/text.ts';
import { normalNumbers } from './init/random.ts';
import { Module } from './module/module.ts';
import { FEATURE_AXIS } from './module/outputAxis.ts';
import { parameter } from './module/parameter.ts';

/** Options of {@link Embedding}. */
export interface EmbeddingOptions {
  /**
   * The row for padding, which begins with zeros and gets no gradient. A negative index counts from the end. Default
   * null: no such row.
   */
  readonly paddingIdx?: number | null;
}

/** Options of {@link Embedding.fromPretrained}. */
export interface PretrainedOptions extends EmbeddingOptions {
  /** True if the table is not trained. Default true. */
  readonly freeze?: boolean;
}

/**
 * A table of vectors, looked up by index.
 *
 * `y[…] = W[x[…]]`
 *
 * @remarks
 * **Shape**: input int32 of any shape, with indices from 0 to `numEmbeddings - 1`; output `[...input, embeddingDim]`.
 * **State**: `weight` `[numEmbeddings, embeddingDim]`, from N(0, 1), with zeros in row `paddingIdx`.
 * **Gradient**: with respect to the weight, of any order; the gradients of repeated rows add up, and row `paddingIdx`
 * gets none.
 * **Ownership**: `call` returns a new tensor; the caller disposes it, or `tf.tidy` does.
 *
 * An index outside of the table throws on the cpu and wasm backends. GPU backends do not check, because reading the
 * indices would stall them.
 *
 * @example
 * ```ts
 * const table = new Embedding(1000, 16, { paddingIdx: 0 });
 * const y = table.call(tf.tensor2d([[3, 7, 0]], [1, 3], 'int32')); // [1, 3, 16], the last vector zeros
 * ```
 * @see torch.nn.Embedding
 */
export class Embedding extends Module {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'Embedding';

  /** The number of vectors in the table. */
  readonly numEmbeddings: number;
  /** The size of each vector. */
  readonly embeddingDim: number;
  /** The row that gets no gradient, counted from the start, or null. */
  readonly paddingIdx: number | null;
  /** W, `[numEmbeddings, embeddingDim]`. */
  weight: Tensor;

  /**
   * @param weight - the initial values, including row `paddingIdx`, instead of random ones. The tensor is consumed, as
   * by {@link parameter}
   * @throws {@link ParametrizeError} `OPTION` if a size is not a positive integer, `paddingIdx` is not a row, or an
   * option is unknown; `NOT_A_VARIABLE`, `SHAPE` or `DTYPE` if the weight is not a float32 tensor of these sizes
   */
  constructor(
    numEmbeddings: number,
    embeddingDim: number,
    options: EmbeddingOptions = {},
    weight: Tensor | null = null,
  ) {
    super();
    checkInteger('Embedding', 'numEmbeddings', numEmbeddings);
    checkInteger('Embedding', 'embeddingDim', embeddingDim);
    checkOptions('Embedding', options, ['paddingIdx']);
    this.numEmbeddings = numEmbeddings;
    this.embeddingDim = embeddingDim;
    this.paddingIdx = rowOf(options.paddingIdx ?? null, numEmbeddings);
    if (weight !== null) checkTable(weight, [numEmbeddings, embeddingDim]);
    this.weight = parameter(weight ?? (() => this.initialTable()));
  }

  /**
   * Makes a table of given vectors. It is a parameter, and `trainable` is false unless `freeze` is false.
   *
   * @remarks
   * **Ownership**: the tensor is consumed (disposed) unless it is a variable, as by {@link parameter}.
   *
   * @param embeddings - `[numEmbeddings, embeddingDim]`, including row `paddingIdx`
   * @throws {@link ParametrizeError} `NOT_A_VARIABLE`, `SHAPE` or `DTYPE` if the vectors are not a float32 tensor of
   * rank 2, `OPTION` if `paddingIdx` is not a row or an option is unknown
   * @see torch.nn.Embedding.from_pretrained
   */
  static fromPretrained(embeddings: Tensor, options: PretrainedOptions = {}): Embedding {
    checkTable(embeddings);
    checkOptions('Embedding.fromPretrained', options, ['paddingIdx', 'freeze']);
    const { paddingIdx = null, freeze = true } = options;
    checkBoolean('Embedding.fromPretrained', 'freeze', freeze);
    const [numEmbeddings, embeddingDim] = embeddings.shape as [number, number];
    const table = new Embedding(numEmbeddings, embeddingDim, { paddingIdx }, embeddings);
    (table.weight as tf.Variable).trainable = !freeze;
    return table;
  }

  private initialTable(): Tensor {
    const { numEmbeddings, embeddingDim, paddingIdx } = this;
    const rows = normalNumbers([numEmbeddings, embeddingDim]);
    if (paddingIdx === null) return rows;
    const isWord = tf.notEqual(tf.range(0, numEmbeddings, 1, 'int32'), tf.scalar(paddingIdx, 'int32'));
    return tf.mul(rows, tf.reshape(tf.cast(isWord, 'float32'), [numEmbeddings, 1]));
  }

  /**
   * @throws {@link ParametrizeError} `DTYPE` if the indices are not int32
   */
  forward(indices: Tensor): Tensor {
    if (indices.dtype !== 'int32') {
      throw refusal(
        'DTYPE',
        'Embedding',
        `the indices have dtype ${indices.dtype}, they must have int32`,
        "Make them with tf.tensor(values, shape, 'int32') or tf.cast(x, 'int32').",
      );
    }
    const flat = tf.reshape(indices, [indices.size]);
    const found = gatherRows(this.weight, flat);
    const rows = this.paddingIdx === null ? found : withoutGradientOf(this.paddingIdx, flat, found);
    return tf.reshape(rows, [...indices.shape, this.embeddingDim]);
  }

  /** @internal The features are those of the vectors. */
  get [FEATURE_AXIS](): 1 {
    return 1;
  }

  override extraRepr(): string {
    const padding = this.paddingIdx === null ? '' : `, paddingIdx=${this.paddingIdx}`;
    return `${this.numEmbeddings}, ${this.embeddingDim}${padding}`;
  }
}

/** Returns the row of an index that may be negative. */
function rowOf(paddingIdx: number | null, numEmbeddings: number): number | null {
  if (paddingIdx === null) return null;
  if (!Number.isInteger(paddingIdx) || paddingIdx < -numEmbeddings || paddingIdx >= numEmbeddings) {
    throw refusal(
      'OPTION',
      'Embedding',
      `paddingIdx is ${String(paddingIdx)}, but the table has ${numEmbeddings} rows`,
      `Pass an index from ${-numEmbeddings} to ${numEmbeddings - 1}.`,
    );
  }
  return paddingIdx < 0 ? paddingIdx + numEmbeddings : paddingIdx;
}

/** Refuses a tensor that cannot be the table. Without a shape, every tensor with two axes can. */
function checkTable(table: Tensor, shape?: readonly number[]): void {
  if (!(table instanceof tf.Tensor)) {
    throw refusal(
      'NOT_A_VARIABLE',
      'Embedding',
      `the table is ${typeName(table)}, it must be a tensor`,
      'Pass tf.tensor2d(rows).',
    );
  }
  const fits = shape === undefined ? table.rank === 2 : tf.util.arraysEqual(table.shape, [...shape]);
  if (!fits || table.size === 0) {
    throw refusal(
      'SHAPE',
      'Embedding',
      `the table has shape ${formatShape(table.shape)}, it must be ${shape === undefined ? '[numEmbeddings, embeddingDim]' : formatShape(shape)}`,
      'Pass one row for each index.',
    );
  }
  if (table.dtype === 'float32') return;
  throw refusal(
    'DTYPE',
    'Embedding',
    `the table has dtype ${table.dtype}, it must have float32`,
    "Pass tf.cast(table, 'float32').",
  );
}

/** Returns the rows, with a gradient of zero for the padding index. */
function withoutGradientOf(paddingIdx: number, indices: Tensor, rows: Tensor): Tensor {
  const isWord = tf.notEqual(indices, tf.scalar(paddingIdx, 'int32'));
  const op = tf.customGrad((...inputs) => {
    const [found, save] = inputs as [Tensor, tf.GradSaveFunc];
    const mask = tf.broadcastTo(tf.reshape(isWord, [indices.size, 1]), rows.shape);
    const result = tf.reshape(found, rows.shape);
    save([mask]);
    return {
      value: result,
      // A product would keep values that are not finite.
      gradFunc: (dy, saved) => tf.where((saved as Tensor[])[0]!, dy, tf.zerosLike(dy)),
    };
  });
  return op(rows);
}

// The gradient of tf.gather is UnsortedSegmentSum, which the wasm backend lacks. Gathering rows and adding up rows are
// each other's gradients. So two custom gradients that name each other can be differentiated any number of times.

/** `table[indices]`, row by row. */
function gatherRows(table: Tensor, indices: Tensor): Tensor {
  const op = tf.customGrad((...inputs) => {
    const [rows, save] = inputs as [Tensor, tf.GradSaveFunc];
    const result = tf.gather(rows, indices as tf.Tensor1D);
    save([indices]);
    return {
      value: result,
      gradFunc: (dy, saved) => scatterRows(dy, (saved as Tensor[])[0]!, table.shape),
    };
  });
  return op(table);
}

/** Returns zeros of a shape, with every row added at its index. */
function scatterRows(rows: Tensor, indices: Tensor, shape: number[]): Tensor {
  const op = tf.customGrad((...inputs) => {
    const [updates, save] = inputs as [Tensor, tf.GradSaveFunc];
    const result = tf.scatterND(tf.reshape(indices, [indices.size, 1]), updates, shape);
    save([indices]);
    return {
      value: result,
      gradFunc: (dy, saved) => gatherRows(dy, (saved as Tensor[])[0]!),
    };
  });
  return op(rows);
}
