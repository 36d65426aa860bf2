import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { hostValues, type SyncReader } from '../../engine/hostValues.ts';
import { isZero, norm, scaleAlong } from '../norm/norm.ts';
import { type BlockReflection, blockReflection } from './blockReflection.ts';
import { plainMatMul } from './matMul.ts';
import { transpose } from './transpose.ts';
import { tril, triu } from './triangular.ts';

/** The number of columns that are eliminated before the rest of the matrix is updated. */
const PANEL = 32;

/** The factors `A = H₁H₂⋯H_k·R`, with reflections as in `householderProduct`. */
export interface QrFactors {
  /** The vectors of the reflections, below the diagonal; zero elsewhere. */
  readonly vectors: Tensor;
  /** R, on and above the diagonal; zero elsewhere. */
  readonly R: Tensor;
}

/**
 * Computes the QR factors of matrices by Householder reflections. The matrices need not have full rank.
 *
 * Columns are eliminated in panels. The reflections of a panel are applied to the rest of the matrix at once, in three
 * matrix products. Only a few matrices of the size of A are held at a time.
 *
 * @remarks
 * **Shape**: A, vectors, R: [b, n, k], n ≥ k.
 * **Gradient**: none.
 * **Ownership**: returns new tensors, as any op.
 *
 * @see torch.geqrf; it does not reflect a column that has only its first element, and this function does
 */
export function qr(A: Tensor, read: SyncReader = hostValues): QrFactors {
  const [b, n, k] = A.shape as [number, number, number];
  return inTidy(() => {
    const scale = scaleAlong(A, [1, 2]);
    // The matrix is transposed, so that each column is contiguous.
    let rest = transpose(tf.div(A, scale)) as Tensor;
    const [vectors, R]: [Tensor[], Tensor[]] = [[], []];
    for (let start = 0; start < k; start += PANEL) {
      const width = Math.min(PANEL, k - start);
      const step = inTidy(() => {
        const panel = eliminatePanel(tf.slice(rest, [0, 0, 0], [b, width, n]), start, read);
        const remaining = k - start - width;
        // An empty tensor would trap on wasm.
        if (remaining === 0) return panel;
        const others = tf.slice(rest, [0, width, 0], [b, remaining, n]);
        const block = blockReflection(transpose(panel.vectors), read);
        return { ...panel, rest: reflectRows(others, block) };
      });
      rest.dispose();
      if ('rest' in step) rest = step.rest;
      vectors.push(step.vectors);
      R.push(step.R);
    }
    const whole = (rows: Tensor[]): Tensor => transpose(tf.concat(rows, 1));
    return { vectors: tril(whole(vectors), -1), R: tf.mul(scale, triu(whole(R))) };
  });
}

/** Runs {@link tf.tidy} for an object with named tensors. */
const inTidy = <T extends object>(compute: () => T): T =>
  tf.tidy(compute as unknown as () => tf.TensorContainer) as unknown as T;

/** Returns `A·H₁H₂⋯`: reflects all rows. */
const reflectRows = (A: Tensor, { V, T }: BlockReflection): Tensor =>
  tf.sub(A, plainMatMul(plainMatMul(plainMatMul(A, V), T), V, false, true));

/**
 * Eliminates the elements below the diagonal in a few columns, beginning with column `start` of the matrix. Columns and
 * results are transposed, [b, width, n]. The vectors include their ones.
 */
function eliminatePanel(columns: Tensor, start: number, read: SyncReader): QrFactors {
  const numbers = read(columns);
  if (numbers !== null) {
    const [vectors, R] = eliminateNumbers(numbers, columns.shape, start);
    return { vectors: tf.tensor(vectors, columns.shape), R: tf.tensor(R, columns.shape) };
  }
  const { vectors, R } = eliminate(transpose(columns), start);
  return { vectors: transpose(vectors), R: transpose(R) };
}

/** Eliminates a panel in float64. */
function eliminateNumbers(
  numbers: ArrayLike<number>,
  shape: readonly number[],
  start: number,
): [vectors: Float32Array, R: Float32Array] {
  const [b, width, n] = shape as [number, number, number];
  const R = Float64Array.from(numbers);
  const vectors = new Float32Array(R.length);
  for (let matrix = 0; matrix < b; matrix++) {
    for (let j = 0; j < width; j++) {
      const [row, end] = [start + j, (matrix * width + j + 1) * n];
      const x = R.subarray(end - n + row, end);
      const v = reflectionOf(x);
      for (let column = j; column < width; column++) {
        const first = (matrix * width + column) * n + row;
        applyReflection(R.subarray(first, first + v.length), v);
      }
      x.fill(0, 1);
      vectors.set(v, end - n + row);
    }
  }
  return [vectors, Float32Array.from(R)];
}

/** Returns the vector, with a 1 first, of the reflection that maps x to its first axis. */
function reflectionOf(x: Float64Array): Float64Array {
  const pivot = x[0]!;
  const length = Math.sqrt(dot(x, x));
  // The sign avoids cancellation. A zero column is reflected, too.
  const divisor = pivot < 0 ? pivot - length : pivot + length;
  const v = Float64Array.from(x, (entry) => (divisor === 0 ? 0 : entry / divisor));
  v[0] = 1;
  return v;
}

function applyReflection(x: Float64Array, v: Float64Array): void {
  const factor = (2 * dot(x, v)) / dot(v, v);
  for (let i = 0; i < x.length; i++) x[i]! -= factor * v[i]!;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** Eliminates a panel by operations on columns, [b, n, width]. */
function eliminate(panel: Tensor, start: number): QrFactors {
  const [b, n, width] = panel.shape as [number, number, number];
  const rows = tf.reshape(tf.range(0, n), [1, n, 1]);
  const vectors: Tensor[] = [];
  let R = panel;
  for (let j = 0; j < width; j++) {
    const row = start + j;
    const step = inTidy(() => {
      const x = tf.slice(R, [0, 0, j], [b, n, 1]);
      const pivot = tf.slice(x, [0, row, 0], [b, 1, 1]);
      const below = tf.mul(x, tf.cast(tf.greater(rows, row), 'float32'));
      const length = norm(tf.concat([pivot, below], 1), [1]);
      // The sign avoids cancellation, as in reflectionOf.
      const divisor = tf.add(pivot, tf.where(tf.less(pivot, 0), tf.neg(length), length));
      const direction = tf.div(below, tf.add(divisor, isZero(tf.abs(divisor))));
      const v = tf.add(direction, tf.cast(tf.equal(rows, row), 'float32'));
      const factor = tf.div(2, tf.sum(tf.square(v), 1, true));
      return { v, R: tf.sub(R, tf.matMul(tf.mul(factor, v), plainMatMul(v, R, true))) };
    });
    R.dispose();
    R = step.R;
    vectors.push(step.v);
  }
  return { vectors: tf.concat(vectors, 2), R };
}
