import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { refusal } from '../core/errors.ts';
import { formatShape } from '../core/shapes.ts';
import { assignFields } from '../nn/module/assignFields.ts';
import { buffer } from '../nn/module/parameter.ts';
import { constantMatMul } from '../ops/matrix/matMul.ts';
import { transpose } from '../ops/matrix/transpose.ts';
import { checkRoom } from '../parametrize/checkRoom.ts';
import { defineParametrization } from '../parametrize/define.ts';
import { Parametrization } from '../parametrize/parametrization.ts';
import { boolean, oneOf } from './options.ts';
import { orthogonalBase, reflectors } from './orthogonalBase.ts';
import { type OrthogonalMap, orthogonalMaps } from './orthogonalMap.ts';

/** Options of {@link orthogonal}. */
export interface OrthogonalOptions {
  /** The map from any matrix to an orthogonal one. Default `'matrixExp'` for square matrices, else `'householder'`. */
  readonly orthogonalMap?: OrthogonalMap;
  /**
   * True if a buffer `base` holds the value that was assigned last and the map only turns it, which makes it possible
   * to assign to every map and keeps the originals near the point where its gradient is best. Default true.
   */
  readonly useTrivialization?: boolean;
}

/**
 * Orthogonal matrices: `QᵀQ = I` where Q has at least as many rows as columns, else `QQᵀ = I`, by way of the transpose.
 *
 * `Q = base · map(X)`; without trivialization `Q = map(X)`. Of a tall X, padded with zeros to a square, the maps are
 *
 * - `'matrixExp'`: the first columns of `exp(A)`, `A = L − Lᵀ`, L the part of X below the diagonal;
 * - `'cayley'`: those of `(I − A/2)⁻¹(I + A/2)`;
 * - `'householder'`: those of the product of reflections `I − 2vⱼvⱼᵀ/‖vⱼ‖²`, vⱼ with a 1 at j above column j of L;
 *   times the signs of the diagonal of X.
 *
 * @remarks
 * **Shape**: X, Q: [..., m, n]; a weight of more than two axes is a batch of matrices, such as [height, width] of a
 * filter.
 * **State**: `original` = X; buffer `base`, [..., k, k] with k the larger of m and n, if `useTrivialization`.
 * Registration and assignment make `base` the assigned matrix, as is if it is orthogonal (and square), else the Q of a
 * QR decomposition with a positive diagonal, completed to a square by the reflections that it is made of; X becomes −I,
 * of which every map makes I. Without trivialization, `'householder'` makes X the reflections of the QR decomposition;
 * the other maps take the weight for X and cannot be assigned to.
 * **Gradient**: to L, of any order; zero on the diagonal and in the other triangle.
 *
 * torch multiplies by the diagonal of X rounded towards zero, so that weight decay turns the columns of `'householder'`
 * to zero; here they keep the sign, and a zero counts as positive. No complex tensors. An A of a norm above 1,280 for
 * `'matrixExp'`, 10,000 for `'cayley'` (500 where the matrix is not square) is scaled down to it. In float32, a map of
 * a larger A would give rounding errors; here the result stays orthogonal.
 *
 * `base` is the only matrix of the longer side that is ever made, and the state dicts of torch have it; without
 * trivialization there is none. All else takes memory in proportion to the weight and to the square of its shorter
 * side.
 *
 * @throws {@link ParametrizeError} `OPTION`, `SHAPE` if the tensor is not a matrix, `DTYPE` if it is not float32,
 * `OUT_OF_MEMORY` if the memory of the wasm backend, of 4 GiB at most, has no room for it
 * @see Lezcano-Casado 2019, arXiv:1909.09501. torch.nn.utils.parametrizations.orthogonal
 */
export class Orthogonal extends Parametrization {
  /** The map from any matrix to an orthogonal one. */
  readonly orthogonalMap: OrthogonalMap;
  /** The point that the map begins at; absent without trivialization. */
  declare readonly base?: Variable;
  private readonly shape: readonly number[];

  /** @param weight - the tensor that is to be orthogonal; its shape is used */
  constructor(weight: Tensor, options: OrthogonalOptions = {}) {
    super();
    const [m, n] = matrixSize(weight);
    const checked = this.checkedOptions(options);
    const { orthogonalMap = m === n ? 'matrixExp' : 'householder', useTrivialization } = checked;
    this.orthogonalMap = orthogonalMap;
    this.shape = [...weight.shape];
    checkRoomFor(weight.shape, orthogonalMap, useTrivialization);
    if (useTrivialization) {
      const size = Math.max(m, n);
      this.base = buffer(() => identities([...weight.shape.slice(0, -2), size, size]));
    } else if (orthogonalMap !== 'householder') {
      // Hides the method: the mechanism then knows that there is no way back.
      Object.assign(this, { rightInverse: undefined });
    }
  }

  override forward(X: Tensor): Tensor {
    this.checkShape(X);
    const { base, orthogonalMap } = this;
    const Q = orthogonalMaps[orthogonalMap](tallOf(X));
    return withShape(base === undefined ? Q : constantMatMul(batchOf(base), Q), X.shape);
  }

  /**
   * The original of an orthogonal W; of any other, that of the Q of `W = QR` with a positive diagonal of R. Writes
   * {@link base}. Absent on an instance that cannot be assigned to.
   */
  override rightInverse?(W: Tensor): Tensor {
    this.checkShape(W);
    const { base } = this;
    checkRoomFor(W.shape, this.orthogonalMap, base !== undefined);
    const tall = tallOf(W);
    if (base === undefined) return withShape(reflectors(tall), W.shape);
    assignFields(this, { base: tf.reshape(orthogonalBase(tall), base.shape) });
    return tf.neg(identities(W.shape));
  }

  override isPure(): boolean {
    return true;
  }

  private checkShape({ shape }: Tensor): void {
    if (tf.util.arraysEqual(shape, [...this.shape])) return;
    throw refusal(
      'SHAPE',
      'orthogonal',
      `expected a tensor of shape ${formatShape(this.shape)}, got ${formatShape(shape)}`,
      'Make a new Orthogonal for it.',
    );
  }
}

/**
 * Makes the matrices of a weight orthogonal; see {@link Orthogonal}. A weight that is orthogonal already is kept, any
 * other becomes the Q of its QR decomposition (not so `'matrixExp'` and `'cayley'` without trivialization, which take
 * the weight for their X).
 *
 * @param name - the tensor; default the host's main weight
 * @returns the host
 * @throws {@link ParametrizeError} `OPTION`, `SHAPE` if the tensor is not a matrix, `DTYPE`, `OUT_OF_MEMORY`; as
 * {@link registerParametrization}
 * @example
 * ```ts
 * orthogonal(new nn.Linear(64, 64));
 * orthogonal(rnn, 'weight_hh_l0', { orthogonalMap: 'cayley' });
 * ```
 * @see torch.nn.utils.parametrizations.orthogonal
 */
export const orthogonal = defineParametrization<Orthogonal, OrthogonalOptions>({
  name: 'orthogonal',
  class: Orthogonal,
  hasFixedFields: true,
  options: {
    orthogonalMap: oneOf(Object.keys(orthogonalMaps) as OrthogonalMap[]),
    useTrivialization: { default: true, isQuiet: true, ...boolean },
  },
  make: ({ value }, options) => new Orthogonal(value, options),
  config: ({ orthogonalMap, base }) => ({ orthogonalMap, useTrivialization: base !== undefined }),
});

/** Rows and columns of the matrices of a weight. */
function matrixSize({ shape, rank, size, dtype }: Tensor): [number, number] {
  if (rank < 2 || size === 0) {
    throw refusal(
      'SHAPE',
      'orthogonal',
      `expected a matrix or a batch of matrices with elements, got shape ${formatShape(shape)}`,
      'Register it on a weight.',
    );
  }
  if (dtype !== 'float32') {
    throw refusal('DTYPE', 'orthogonal', `expected a float32 tensor, got ${dtype}`, 'Cast it first.');
  }
  return shape.slice(-2) as [number, number];
}

/**
 * The numbers of matrices that are held at once: of size N × N, where N is the size that a map computes with, and of
 * the size of the weight.
 */
const MATRICES = { matrixExp: [150, 45], cayley: [40, 45], householder: [40, 45] } as const;

/** The same of bases. */
const BASES = 8;

/** Throws unless there is room for what registration, and then a gradient, hold at once. */
function checkRoomFor(shape: readonly number[], map: OrthogonalMap, useTrivialization: boolean): void {
  const [short, long] = shape.slice(-2).sort((a, b) => a - b) as [number, number];
  const batch = tf.util.sizeFromShape(shape.slice(0, -2));
  const [matrices, weights] = MATRICES[map];
  const size = map === 'matrixExp' ? Math.min(long, 2 * short) : short;
  const bases = useTrivialization ? BASES * long ** 2 : 0;
  checkRoom(
    'orthogonal',
    4 * batch * (bases + matrices * size ** 2 + weights * short * long),
    `a weight of shape ${formatShape(shape)}${useTrivialization ? ` with a base of [${long}, ${long}]` : ''}`,
    useTrivialization && long > short
      ? "Pass { orthogonalMap: 'householder', useTrivialization: false }, which needs no base, or dispose tensors that are not needed."
      : 'Dispose tensors that are not needed, or use another backend.',
  );
}

const batchOf = (x: Tensor): Tensor => tf.reshape(x, [-1, ...x.shape.slice(-2)]);

/** The matrices of a weight with at least as many rows as columns, by transposition: [b, n, k]. */
function tallOf(x: Tensor): Tensor {
  const [m, n] = x.shape.slice(-2) as [number, number];
  return m < n ? transpose(batchOf(x)) : batchOf(x);
}

/** The inverse of {@link tallOf}. */
function withShape(tall: Tensor, shape: number[]): Tensor {
  const [m, n] = shape.slice(-2) as [number, number];
  return tf.reshape(m < n ? transpose(tall) : tall, shape);
}

/** A matrix of ones on the diagonal for every matrix of a shape. */
const identities = (shape: number[]): Tensor => tf.broadcastTo(tf.eye(shape.at(-2)!, shape.at(-1)!), shape);
