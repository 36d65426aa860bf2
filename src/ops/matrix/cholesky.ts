import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { hostValues, type SyncReader } from '../../engine/hostValues.ts';
import { scaleAlong } from '../norm/norm.ts';
import { plainMatMul } from './matMul.ts';

/** The number of columns that are computed before the rest of the matrix is updated. */
const PANEL = 32;

/**
 * Computes the Cholesky factor L of positive definite matrices: `A = LLᵀ`, L lower triangular with a positive diagonal.
 *
 * Columns are computed in panels. The rest of the matrix is updated in one product for each panel. If the numbers can
 * be read, panels are computed in float64. Only the lower triangle of A is used.
 *
 * @remarks
 * **Shape**: A, L: [b, n, n].
 * **Domain**: a matrix that is not positive definite, to rounding, has NaN or infinities in L.
 * **Accuracy**: `|LLᵀ − A|` ≤ 4e-7 of the largest number of A, up to a condition number of 1e6.
 * **Cost**: n/32 products; 10 operations for each column if the numbers cannot be read.
 * **Gradient**: none.
 *
 * @see torch.linalg.cholesky
 */
export const cholesky = (A: Tensor, read: SyncReader = hostValues): Tensor =>
  tf.tidy(() => {
    const [b, n] = A.shape as [number, number, number];
    const scale = scaleAlong(A, [1, 2]);
    let rest: Tensor = tf.div(A, scale);
    const panels: Tensor[] = [];
    for (let start = 0; start < n; start += PANEL) {
      const last = rest;
      const [panel, others] = tf.tidy(() => {
        const width = Math.min(PANEL, n - start);
        const columns = tf.slice(last, [0, 0, 0], [b, n - start, width]);
        const panel = factor(columns, read);
        const whole = tf.pad(panel, [[0, 0], [start, 0], [0, 0]]); // biome-ignore format: a shape
        const remaining = n - start - width;
        // An empty tensor would trap on wasm.
        if (remaining === 0) return [whole];
        const below = tf.slice(panel, [0, width, 0], [b, remaining, width]);
        const corner = tf.slice(last, [0, width, width], [b, remaining, remaining]);
        return [whole, tf.sub(corner, plainMatMul(below, below, false, true))];
      }) as [Tensor, Tensor?];
      last.dispose();
      panels.push(panel);
      if (others) rest = others;
    }
    return tf.mul(tf.concat(panels, 2), tf.sqrt(scale));
  });

/** Returns the columns of L for the first columns of a matrix, [b, n, width]. */
function factor(columns: Tensor, read: SyncReader): Tensor {
  const numbers = read(columns);
  return numbers === null
    ? factorColumns(columns)
    : tf.tensor(factorNumbers(numbers, columns.shape), columns.shape);
}

/** Computes a panel in float64. */
function factorNumbers(numbers: ArrayLike<number>, shape: readonly number[]): Float32Array {
  const [b, n, width] = shape as [number, number, number];
  const all = Float64Array.from(numbers);
  for (let matrix = 0; matrix < b; matrix++) {
    const L = all.subarray(matrix * n * width, (matrix + 1) * n * width);
    for (let j = 0; j < width; j++) {
      for (let i = 0; i < n; i++) {
        if (i < j) {
          L[i * width + j] = 0;
          continue;
        }
        let sum = L[i * width + j]!;
        for (let k = 0; k < j; k++) sum -= L[i * width + k]! * L[j * width + k]!;
        L[i * width + j] = i === j ? Math.sqrt(sum) : sum / L[j * width + j]!;
      }
    }
  }
  return Float32Array.from(all);
}

/** Computes a panel by operations on columns. */
function factorColumns(panel: Tensor): Tensor {
  const [b, n, width] = panel.shape as [number, number, number];
  const rows = tf.reshape(tf.range(0, n), [1, n, 1]);
  const columns: Tensor[] = [];
  let rest = panel;
  for (let j = 0; j < width; j++) {
    const last = rest;
    const [column, next] = tf.tidy(() => {
      const pivot = tf.slice(last, [0, j, j], [b, 1, 1]);
      const isBelow = tf.cast(tf.greaterEqual(rows, j), 'float32');
      const column = tf.mul(tf.div(tf.slice(last, [0, 0, j], [b, n, 1]), tf.sqrt(pivot)), isBelow);
      const top = tf.reshape(tf.slice(column, [0, 0, 0], [b, width, 1]), [b, 1, width]);
      return [column, tf.sub(last, tf.mul(column, top))];
    }) as [Tensor, Tensor];
    if (last !== panel) last.dispose();
    rest = next;
    columns.push(column);
  }
  rest.dispose();
  return tf.concat(columns, 2);
}
