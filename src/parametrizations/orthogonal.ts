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
   * If true, a buffer `base` holds the value of the last assignment, and the map rotates it. Then every map can be
   * assigned to, and the originals stay near the point where the gradient is best. Default true.
   */
  readonly useTrivialization?: boolean;
}

/**
 * Makes matrices orthogonal: `QᵀQ = I` if Q has at least as many rows as columns, else `QQᵀ = I`, through the
 * transpose.
 *
 * `Q = base · map(X)`; without trivialization `Q = map(X)`. The maps of a tall X, padded with zeros to a square, are
 *
 * - `'matrixExp'`: the first columns of `exp(A)` with `A = L − Lᵀ`, where L is the part of X below the diagonal;
 * - `'cayley'`: the first columns of `(I − A/2)⁻¹(I + A/2)`;
 * - `'householder'`: the first columns of the product of reflections `I − 2vⱼvⱼᵀ/‖vⱼ‖²`, times the signs of the
 *   diagonal of X; vⱼ has a 1 at j above column j of L.
 *
 * @remarks
 * **Shape**: X, Q: [..., m, n]; a weight of more than two axes is a batch of matrices, such as [height, width] of a
 * filter.
 * **State**: `original` = X; with `useTrivialization` a buffer `base`, [..., k, k], where k is the larger of m and n.
 * Registration and assignment set `base` to the assigned matrix if it is orthogonal and square. Otherwise `base`
 * becomes the Q of its QR decomposition with a positive diagonal, completed to a square by the reflections of the
 * decomposition. X becomes −I, which every map takes to I. Without trivialization, `'householder'` sets X to the
 * reflections of the QR decomposition. The other maps use the weight as X, and cannot be assigned to.
 * **Gradient**: to L, of any order; zero on and above the diagonal.
 * **Ownership**: the instance owns `base`; `dispose()` frees it. A removal disposes an instance that
 * {@link orthogonal} made.
 *
 * torch multiplies by the diagonal of X rounded towards zero, so weight decay turns the columns of `'householder'` to
 * zero. Here the columns keep their sign, and a zero counts as positive. Complex tensors are not supported. An A with a
 * norm above 1,280 for `'matrixExp'`, or 10,000 for `'cayley'` (500 if the matrix is not square), is scaled down to
 * that norm. A larger A would give rounding errors in float32; with the limit, the result stays orthogonal.
 *
 * `base` is the only matrix with the size of the longer side, and torch's state dicts have it. Without trivialization
 * it does not exist. The rest takes memory in proportion to the weight and to the square of its shorter side.
 *
 * @throws {@link ParametrizeError} `OPTION`, `SHAPE` if the tensor is not a matrix, `DTYPE` if it is not float32,
 * `OUT_OF_MEMORY` if the memory of the wasm backend (at most 4 GiB) has no room for it
 * @see Lezcano-Casado 2019, arXiv:1909.09501. torch.nn.utils.parametrizations.orthogonal
 */
export class Orthogonal extends Parametrization {
  /** The map from any matrix to an orthogonal one. */
  readonly orthogonalMap: OrthogonalMap;
  /** The matrix that the map rotates; absent without trivialization. */
  declare readonly base?: Variable;
  private readonly shape: readonly number[];

  /** @param weight - the tensor to parametrize; only its shape is used */
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
      // This hides the method, which tells the mechanism that the map has no right inverse.
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
   * Returns the original of an orthogonal W. For any other W, returns the original of the Q of `W = QR` with a positive
   * diagonal of R. Writes {@link base}. Absent if the instance cannot be assigned to.
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
 * Makes the matrices of a weight orthogonal; see {@link Orthogonal}. An orthogonal weight keeps its value; any other
 * becomes the Q of its QR decomposition. Without trivialization, `'matrixExp'` and `'cayley'` use the weight as X
 * instead.
 *
 * @throws {@link ParametrizeError} `OPTION`, `SHAPE` if the tensor is not a matrix, `DTYPE`, `OUT_OF_MEMORY`; the
 * errors of {@link registerParametrization}
 * @example
 * ```ts
 * orthogonal(new nn.Linear(64, 64));
 * orthogonal(rnn, 'weight_hh_l0', { orthogonalMap: 'cayley' });
 * ```
 * @see torch.nn.utils.parametrizations.orthogonal
 * @function
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

/** Returns the rows and columns of the matrices of a weight. */
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
 * The numbers of matrices that are held at once: of size N × N, where N is the size that the map computes with, and of
 * the size of the weight.
 */
const MATRICES = { matrixExp: [150, 45], cayley: [40, 45], householder: [40, 45] } as const;

/** The number of matrices of the size of `base` that are held at once. */
const BASES = 8;

/** Throws unless there is room for the tensors that registration and a gradient hold at once. */
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

/** Returns the matrices of a weight, [b, n, k], transposed if they have fewer rows than columns. */
function tallOf(x: Tensor): Tensor {
  const [m, n] = x.shape.slice(-2) as [number, number];
  return m < n ? transpose(batchOf(x)) : batchOf(x);
}

/** The inverse of {@link tallOf}. */
function withShape(tall: Tensor, shape: number[]): Tensor {
  const [m, n] = shape.slice(-2) as [number, number];
  return tf.reshape(m < n ? transpose(tall) : tall, shape);
}

/** Returns a rectangular identity for every matrix of a shape. */
const identities = (shape: number[]): Tensor => tf.broadcastTo(tf.eye(shape.at(-2)!, shape.at(-1)!), shape);
