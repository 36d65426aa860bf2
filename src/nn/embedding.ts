import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { ParametrizeError } from '../errors.ts';
import { Module } from './module.ts';
import { checkInteger } from './options.ts';
import { parameter } from './parameter.ts';
import { nextSeed } from './random.ts';

/**
 * A table of vectors, looked up by index.
 *
 * `y[…] = W[x[…]]`
 *
 * @remarks
 * **Shape**: input int32 of any shape, with indices from 0 to `numEmbeddings - 1`; output `[...input, embeddingDim]`.
 * **State**: `weight` `[numEmbeddings, embeddingDim]`, from N(0, 1).
 * **Gradient**: with respect to the weight, of any order; rows that are looked up twice add up.
 * **Ownership**: `call` returns a new tensor; the caller disposes it, or `tf.tidy` does.
 *
 * An index outside of the table throws on the cpu and wasm backends. A GPU backend does not look: reading the indices
 * back would stall it.
 *
 * @example
 * ```ts
 * const table = new Embedding(1000, 16);
 * const y = table.call(tf.tensor2d([[3, 7]], [1, 2], 'int32')); // [1, 2, 16]
 * ```
 * @see torch.nn.Embedding
 */
export class Embedding extends Module {
  /** Number of vectors in the table. */
  readonly numEmbeddings: number;
  /** Size of each vector. */
  readonly embeddingDim: number;
  /** W, `[numEmbeddings, embeddingDim]`. */
  weight: Tensor;

  /**
   * @throws {@link ParametrizeError} `OPTION` if a size is no positive integer
   */
  constructor(numEmbeddings: number, embeddingDim: number) {
    super();
    checkInteger('Embedding', 'numEmbeddings', numEmbeddings);
    checkInteger('Embedding', 'embeddingDim', embeddingDim);
    this.numEmbeddings = numEmbeddings;
    this.embeddingDim = embeddingDim;
    this.weight = parameter(() =>
      tf.randomNormal([numEmbeddings, embeddingDim], 0, 1, 'float32', nextSeed()),
    );
  }

  /**
   * @throws {@link ParametrizeError} `DTYPE` if the indices are not int32
   */
  forward(indices: Tensor): Tensor {
    if (indices.dtype !== 'int32') {
      throw new ParametrizeError(
        'DTYPE',
        `Embedding: the indices have dtype ${indices.dtype}, they must have int32. Make them with tf.tensor(values, shape, 'int32') or tf.cast(x, 'int32').`,
      );
    }
    const shape = [...indices.shape, this.embeddingDim];
    return tf.reshape(gatherRows(this.weight, tf.reshape(indices, [indices.size])), shape);
  }

  override extraRepr(): string {
    return `${this.numEmbeddings}, ${this.embeddingDim}`;
  }
}

// The gradient of tf.gather is UnsortedSegmentSum, which the wasm backend lacks. Gathering rows and adding up rows are
// each other's gradients, so that two custom gradients that name each other can be differentiated any number of times.

/** `table[indices]`, row by row. */
function gatherRows(table: Tensor, indices: Tensor): Tensor {
  const op = tf.customGrad((...inputs) => {
    const [rows, save] = inputs as [Tensor, tf.GradSaveFunc];
    save([indices]);
    return {
      value: tf.gather(rows, indices as tf.Tensor1D),
      gradFunc: (dy, saved) => scatterRows(dy, (saved as Tensor[])[0]!, table.shape),
    };
  });
  return op(table);
}

/** Zeros of that shape, with every row added at its index. */
function scatterRows(rows: Tensor, indices: Tensor, shape: number[]): Tensor {
  const op = tf.customGrad((...inputs) => {
    const [updates, save] = inputs as [Tensor, tf.GradSaveFunc];
    save([indices]);
    return {
      value: tf.scatterND(tf.reshape(indices, [indices.size, 1]), updates, shape),
      gradFunc: (dy, saved) => gatherRows(dy, (saved as Tensor[])[0]!),
    };
  });
  return op(rows);
}
