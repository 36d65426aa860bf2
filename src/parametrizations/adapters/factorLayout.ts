import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { axisIn } from '../../core/axes.ts';
import { refusal } from '../../core/errors.ts';
import { formatShape, sizeOf } from '../../core/shapes.ts';
import { matMul } from '../../ops/matrix/matMul.ts';

/** The axis of A that counts the rank: the first, as in torch, or the last, as in tf.layers. */
export type RankAxis = 'first' | 'last';

/**
 * The shapes of the factors of a change of a weight. The rows of its matrix are the features of the host, on the axis
 * `dim` of the weight; the columns are all other axes.
 *
 * | `rankAxis` | A | B | the matrix |
 * | --- | --- | --- | --- |
 * | `'first'` | `[rank, …others]` | `[features, rank, 1…]` | `B · A` |
 * | `'last'` | `[…others, rank]` | `[rank, features]` | `(A · B)ᵀ` |
 */
export class FactorLayout {
  /** The axis of the features, counted from the front. */
  readonly dim: number;
  readonly rankAxis: RankAxis;
  private readonly shape: readonly number[];

  /** @throws {@link ParametrizeError} `SHAPE` for a vector, and for an axis that the weight does not have */
  constructor(caller: string, shape: readonly number[], dim: number, rankAxis: RankAxis) {
    const axis = axisIn(dim, shape.length);
    if (shape.length < 2 || axis === undefined) {
      throw refusal(
        'SHAPE',
        caller,
        shape.length < 2
          ? `the tensor has shape ${formatShape(shape)}, and no matrix has a rank there`
          : `dim is ${dim}, the tensor has shape ${formatShape(shape)}`,
        'Register it on a tensor of at least two axes.',
      );
    }
    this.shape = [...shape];
    this.dim = axis;
    this.rankAxis = rankAxis;
  }

  /** The number of features: the rows of the matrix. */
  get features(): number {
    return this.shape[this.dim]!;
  }

  /** The axes of the weight without that of the features. */
  get others(): number[] {
    return this.shape.filter((_, axis) => axis !== this.dim);
  }

  /** The number of columns of the matrix. */
  get columns(): number {
    return sizeOf(this.others);
  }

  /** The shape of A. */
  shapeOfA(rank: number): number[] {
    return this.rankAxis === 'first' ? [rank, ...this.others] : [...this.others, rank];
  }

  /** The shape of B. */
  shapeOfB(rank: number): number[] {
    if (this.rankAxis === 'last') return [rank, this.features];
    return [this.features, rank, ...this.others.slice(1).map(() => 1)];
  }

  /** The shape of a mask of the inputs of A: its channels, without the other axes. */
  shapeOfMask(rank: number): number[] {
    const channels = this.rankAxis === 'first' ? 1 : this.others.length - 1;
    return this.shapeOfA(rank).map((size, axis) => (axis === channels ? size : 1));
  }

  /** The shape of one number for each feature, as torch's adapters have it. */
  get shapeOfMagnitude(): number[] {
    const isConvolution = this.shape.length > 2 && this.rankAxis === 'first';
    return isConvolution ? [1, this.features, ...this.others.slice(1).map(() => 1)] : [this.features];
  }

  /** Gives numbers for each feature the rank of the weight. */
  broadcast(magnitude: Tensor): Tensor {
    return tf.reshape(
      magnitude,
      this.shape.map((_, axis) => (axis === this.dim ? this.features : 1)),
    );
  }

  /** The axes of the weight that a norm for each feature reduces. */
  get reduced(): number[] {
    return this.shape.flatMap((_, axis) => (axis === this.dim ? [] : [axis]));
  }

  /** Returns the product of two factors, in the shape of the weight. */
  product(A: Tensor, B: Tensor, rank: number): Tensor {
    const { dim, shape, features, columns, others, rankAxis } = this;
    const axes = shape.map((_, axis) => axis);
    if (rankAxis === 'first') {
      const matrix = matMul(tf.reshape(B, [features, rank]), tf.reshape(A, [rank, columns]));
      if (dim === 0) return tf.reshape(matrix, [...shape]);
      const rest = axes.slice(1);
      return tf.transpose(tf.reshape(matrix, [features, ...others]), [
        ...rest.slice(0, dim),
        0,
        ...rest.slice(dim),
      ]);
    }
    const matrix = matMul(tf.reshape(A, [columns, rank]), B);
    const last = shape.length - 1;
    if (dim === last) return tf.reshape(matrix, [...shape]);
    const rest = axes.slice(0, -1);
    return tf.transpose(tf.reshape(matrix, [...others, features]), [
      ...rest.slice(0, dim),
      last,
      ...rest.slice(dim),
    ]);
  }

  /** Refuses a weight of another shape. */
  check(caller: string, { shape }: Tensor): void {
    if (tf.util.arraysEqual(shape, this.shape as number[])) return;
    throw refusal(
      'SHAPE',
      caller,
      `the tensor has shape ${formatShape(shape)}, the adapters are for ${formatShape(this.shape)}`,
    );
  }
}
