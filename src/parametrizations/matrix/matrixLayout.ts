import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { axisIn } from '../../core/axes.ts';
import { refusal } from '../../core/errors.ts';
import { formatShape } from '../../core/shapes.ts';
import { transpose } from '../../ops/matrix/transpose.ts';
import type { TargetTensor } from '../../parametrize/definition.ts';
import { integer, oneOf } from '../options.ts';

/** Options of maps on matrices for weights of more than two axes. */
export interface MatrixOptions {
  /**
   * The matrices of a weight of more than two axes. `'last'`: the last two axes are the axes of the matrices, as in
   * torch; the others count them. `'dim'`: the weight is one matrix, with a row for each index of the axis `dim`, as
   * for spectral norm. Default `'last'`.
   */
  readonly matrix?: 'last' | 'dim';
  /**
   * For `matrix: 'dim'`, the axis of the rows. A negative axis counts from the end. Default: the axis that numbers the
   * outputs of the host.
   */
  readonly dim?: number;
}

/** The definitions of {@link MatrixOptions}. */
export const matrixOptions = {
  matrix: { default: 'last', isQuiet: true, ...oneOf(['last', 'dim']) },
  dim: { default: 0, isQuiet: true, ...integer(Number.MIN_SAFE_INTEGER) },
} as const;

/** Completes {@link MatrixOptions} by the axis of the outputs of a host, which counts only for `matrix: 'dim'`. */
export const withRows = <O extends MatrixOptions>({ outputAxis }: TargetTensor, options: O): O =>
  options.matrix === 'dim' ? { dim: outputAxis, ...options } : options;

/** The matrices of tensors of one shape, as a batch. */
export class MatrixLayout {
  /** The shape of the tensors. */
  readonly shape: readonly number[];
  /** The number of matrices. */
  readonly count: number;
  /** The number of rows of each matrix. */
  readonly rows: number;
  /** The number of columns of each matrix. */
  readonly columns: number;
  /** The axis of the rows, or null if the matrices are the last two axes. */
  private readonly rowAxis: number | null;

  /**
   * @param caller - for messages
   * @throws {@link ParametrizeError} `SHAPE` if the tensor has no matrices with elements, `OPTION` for an axis that it
   * lacks
   */
  constructor(caller: string, shape: readonly number[], options: MatrixOptions = {}) {
    const { matrix = 'last', dim = 0 } = options;
    if (shape.length < 2 || shape.includes(0)) {
      throw refusal(
        'SHAPE',
        caller,
        `expected a matrix or a batch of matrices with elements, got shape ${formatShape(shape)}`,
        'Register it on a weight.',
      );
    }
    const axis = axisIn(dim, shape.length);
    if (matrix === 'dim' && axis === undefined) {
      throw refusal('OPTION', caller, `dim ${dim} is out of range for shape ${formatShape(shape)}`);
    }
    this.shape = [...shape];
    const size = tf.util.sizeFromShape([...shape]);
    this.rowAxis = matrix === 'dim' && shape.length > 2 ? axis! : null;
    [this.rows, this.columns] =
      this.rowAxis === null
        ? (shape.slice(-2) as [number, number])
        : [shape[this.rowAxis]!, size / shape[this.rowAxis]!];
    this.count = size / (this.rows * this.columns);
  }

  /** The axes that count the matrices; none if the tensor is one matrix. */
  get batchShape(): number[] {
    return this.rowAxis === null ? this.shape.slice(0, -2) : [];
  }

  /** True if the matrices have fewer rows than columns. */
  get isWide(): boolean {
    return this.rows < this.columns;
  }

  /** The length of the shorter side of the matrices. */
  get short(): number {
    return Math.min(this.rows, this.columns);
  }

  /** The length of the longer side of the matrices. */
  get long(): number {
    return Math.max(this.rows, this.columns);
  }

  /** The sizes of the axes that count the columns, if the matrices are not the last two axes; else null. */
  get otherAxes(): number[] | null {
    const { rowAxis, shape } = this;
    return rowAxis === null ? null : shape.filter((_, axis) => axis !== rowAxis);
  }

  /** Returns the matrices of a tensor, [count, rows, columns]. */
  matrices(x: Tensor): Tensor {
    const { rowAxis, count, rows, columns } = this;
    const first = rowAxis === null || rowAxis === 0 ? x : tf.transpose(x, this.order(rowAxis));
    return tf.reshape(first, [count, rows, columns]);
  }

  /** The inverse of {@link matrices}. */
  tensor(matrices: Tensor): Tensor {
    const { rowAxis, shape } = this;
    if (rowAxis === null || rowAxis === 0) return tf.reshape(matrices, [...shape]);
    const order = this.order(rowAxis);
    const moved = tf.reshape(
      matrices,
      order.map((axis) => shape[axis]!),
    );
    return tf.transpose(
      moved,
      shape.map((_, axis) => order.indexOf(axis)),
    );
  }

  /** Returns the matrices of a tensor, transposed if they are wide: [count, long, short]. */
  tall(x: Tensor): Tensor {
    return this.isWide ? transpose(this.matrices(x)) : this.matrices(x);
  }

  /** The inverse of {@link tall}. */
  fromTall(tall: Tensor): Tensor {
    return this.tensor(this.isWide ? transpose(tall) : tall);
  }

  /**
   * Refuses a tensor of another shape.
   *
   * @throws {@link ParametrizeError} `SHAPE`
   */
  check(caller: string, { shape }: Tensor): void {
    if (tf.util.arraysEqual(shape, [...this.shape])) return;
    throw refusal(
      'SHAPE',
      caller,
      `expected a tensor of shape ${formatShape(this.shape)}, got ${formatShape(shape)}`,
      'Make a new map for it.',
    );
  }

  private order(rowAxis: number): number[] {
    return [rowAxis, ...this.shape.keys()].filter((axis, i) => i === 0 || axis !== rowAxis);
  }
}
