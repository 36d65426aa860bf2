import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { nextSeed } from '../nn/init/random.ts';
import { clipEigenvalues } from '../ops/matrix/clipEigenvalues.ts';
import { inverse } from '../ops/matrix/inverse.ts';
import { matMul, plainMatMul } from '../ops/matrix/matMul.ts';
import { polar } from '../ops/matrix/polar.ts';
import { sqrtm } from '../ops/matrix/sqrtm.ts';
import { symmetricPart } from '../ops/matrix/symmetricPart.ts';
import { transpose } from '../ops/matrix/transpose.ts';
import { tril } from '../ops/matrix/triangular.ts';
import { norm } from '../ops/norm/norm.ts';
import { defineParametrization } from '../parametrize/define.ts';
import { Parametrization } from '../parametrize/parametrization.ts';
import { MatrixLayout, type MatrixOptions, matrixOptions, withRows } from './matrix/matrixLayout.ts';
import { oneOf } from './options.ts';
import { checkOrthogonalRoom } from './orthogonalMaps/checkOrthogonalRoom.ts';
import { baseOf, factorAt, newSuitableBase, startAt } from './orthogonalMaps/orthogonalFactor.ts';
import { type OrthogonalMapName, orthogonalMaps } from './orthogonalMaps/orthogonalMaps.ts';
import { haar } from './orthogonalMaps/orthogonalSamples.ts';
import { hasSingularValues } from './set/hasSingularValues.ts';
import { matricesBy } from './set/matricesBy.ts';

/** Options of {@link almostOrthogonal}. */
export interface AlmostOrthogonalOptions extends MatrixOptions {
  /** The largest distance of a singular value from 1, above 0 and at most 1. Default 0.1. */
  readonly lambda?: number;
  /**
   * The map from any matrix to the orthogonal factor, as of {@link orthogonal}. `'matrixExp'` and `'cayley'` have a
   * base with the size of the longer side. Default `'matrixExp'` for square matrices, else `'householder'`.
   */
  readonly orthogonalMap?: OrthogonalMapName;
}

/** The largest eigenvalue of a symmetric factor of the right inverse. The gradient vanishes at 1. */
const LIMIT = 1 - 1e-4;

/** The largest norm of the matrix whose eigenvalues are clipped: beyond, float32 would lose the limit. */
const LARGEST_NORM = 1e3;

/**
 * Keeps all singular values of matrices within λ of 1: `W = Q·(I + 2λ·Y(I + Y²)⁻¹)`, with an orthogonal factor
 * `Q = map(X)` and a symmetric Y, made of the lower triangle of S. `2y/(1 + y²)` has all values from −1 to 1.
 *
 * @remarks
 * **Shape**: X, W: [..., m, n]; S: [..., k, k], where k is the smaller of m and n. A wide matrix goes through its
 * transpose. With `matrix: 'dim'`, the weight is one matrix with a row for each index of the axis `dim`.
 * **State**: `original0` = X, alias `X`; `original1` = S, alias `S`; for `'matrixExp'` and `'cayley'` a buffer `base`,
 * of the last assignment: [..., l, l] for the longer side l, or [..., l, k] if l is above 2k.
 * **Gradient**: of any order. It vanishes in the directions where a singular value is 1 ± λ.
 *
 * A matrix with such singular values keeps its value, but for those within 1e-4·λ of the bounds, which move there. Any
 * other matrix becomes the nearest one with singular values in this smaller interval. If its norm is above 1e3·λ, the
 * result is not the nearest one.
 *
 * @throws {@link ParametrizeError} `OPTION`; `SHAPE` if the tensor is not a matrix; `OUT_OF_MEMORY`
 * @see {@link orthogonal} for the maps, and for λ = 0
 */
export class AlmostOrthogonal extends Parametrization {
  /** The largest distance of a singular value from 1. */
  readonly lambda: number;
  /** The map from any matrix to the orthogonal factor. */
  readonly orthogonalMap: OrthogonalMapName;
  /** The matrix that the map rotates; absent for maps without one. */
  declare readonly base?: Variable;
  /** The matrices of a weight of more than two axes. */
  readonly matrix: 'last' | 'dim';
  /** The axis of the rows, for `matrix: 'dim'`. */
  readonly dim: number;
  private readonly layout: MatrixLayout;

  /** @param weight - the tensor to parametrize; only its shape is used */
  constructor(weight: Tensor, options: AlmostOrthogonalOptions = {}) {
    super();
    const { lambda, orthogonalMap, matrix, dim } = this.checkedOptions(options);
    this.layout = new MatrixLayout('almostOrthogonal', weight.shape, { matrix, dim });
    const { rows, columns } = this.layout;
    this.lambda = lambda;
    this.orthogonalMap = orthogonalMap ?? (rows === columns ? 'matrixExp' : 'householder');
    this.matrix = matrix;
    this.dim = dim;
    const hasBase = ['matrixExp', 'cayley'].includes(this.orthogonalMap);
    this.checkRoom(hasBase);
    if (hasBase) this.base = newSuitableBase(this.layout);
  }

  override forward(X: Tensor, S: Tensor): Tensor {
    const { layout, lambda } = this;
    layout.check('almostOrthogonal', X);
    const { count, short } = layout;
    const s = tf.reshape(S, [count, short, short]);
    const Y = tf.add(tril(s), transpose(tril(s, -1)));
    const identity = tf.eye(short);
    const bounded = matMul(Y, inverse(tf.add(identity, matMul(Y, Y))));
    const H = tf.add(identity, tf.mul(2 * lambda, bounded));
    return layout.fromTall(matMul(factorAt(this, layout.tall(X)), H));
  }

  /** Returns the originals of a W with singular values within λ of 1. Writes {@link base}. */
  override rightInverse(W: Tensor): [X: Tensor, S: Tensor] {
    const { layout, lambda } = this;
    layout.check('almostOrthogonal', W);
    this.checkRoom(this.base !== undefined);
    const [Q, Y] = tf.tidy(() => {
      const tall = layout.tall(W);
      const Q = polar(tall);
      return [Q, symmetricFactor(plainMatMul(Q, tall, true), lambda)];
    }) as [Tensor, Tensor];
    const S = tf.reshape(Y, [...layout.batchShape, layout.short, layout.short]);
    return [layout.fromTall(startAt(this, Q)), S];
  }

  override isPure(): boolean {
    return true;
  }

  private checkRoom(hasBase: boolean): void {
    checkOrthogonalRoom('almostOrthogonal', this.layout, this, hasBase ? baseOf(this.layout) : null, OTHERS);
  }
}

/** The number of tensors of the size of the weight that the symmetric factor takes at once. */
const OTHERS = 45;

/**
 * Returns the symmetric Y with `H = I + 2λ·Y(I + Y²)⁻¹`, for the symmetric part of H with its eigenvalues moved into
 * the interval: `Y = K(I + √(I − K²))⁻¹` with `K = (H − I)/λ`.
 */
function symmetricFactor(H: Tensor, lambda: number): Tensor {
  const identity = tf.eye(H.shape[2]!);
  const given = tf.div(tf.sub(symmetricPart(H), identity), lambda);
  const size = norm(given, [1, 2]);
  const K = clipEigenvalues(tf.mul(given, tf.div(LARGEST_NORM, tf.maximum(size, LARGEST_NORM))), LIMIT);
  const root = sqrtm(symmetricPart(tf.sub(identity, plainMatMul(K, K))));
  return symmetricPart(plainMatMul(K, inverse(tf.add(identity, root))));
}

/**
 * Keeps all singular values of the matrices of a weight within λ of 1; see {@link AlmostOrthogonal}. A weight with such
 * singular values keeps its value; any other becomes the nearest one.
 *
 * @throws {@link ParametrizeError} `OPTION`; `SHAPE` if the tensor is not a matrix; `OUT_OF_MEMORY`; the errors of
 * {@link registerParametrization}
 * @example
 * ```ts
 * almostOrthogonal(rnn, 'weight_hh_l0', { lambda: 0.05 });
 * ```
 * @function
 */
export const almostOrthogonal = defineParametrization<AlmostOrthogonal, AlmostOrthogonalOptions>({
  name: 'almostOrthogonal',
  class: AlmostOrthogonal,
  hasFixedFields: true,
  originals: { X: {}, S: {} },
  shape: ([X]) => X!,
  options: {
    lambda: {
      default: 0.1,
      expected: 'a number above 0 and at most 1. For 0, use orthogonal',
      accepts: (lambda) => lambda > 0 && lambda <= 1,
    },
    orthogonalMap: oneOf(Object.keys(orthogonalMaps) as OrthogonalMapName[]),
    ...matrixOptions,
  },
  make: (target, options) => new AlmostOrthogonal(target.value, withRows(target, options)),
  set: {
    contains: (value, { lambda, ...options }, tolerance) =>
      matricesBy(value, options)?.every((matrix) =>
        hasSingularValues(matrix, 1 - lambda - tolerance, 1 + lambda + tolerance),
      ) ?? false,
    sample(shape, { lambda, ...options }) {
      const layout = new MatrixLayout('almostOrthogonal.sample', shape, options);
      const { count, long, short } = layout;
      const far = 0.95 * lambda;
      const sigma = tf.randomUniform([count, 1, short], 1 - far, 1 + far, 'float32', nextSeed());
      const left = tf.mul(haar([count, long, short]), sigma);
      return layout.fromTall(plainMatMul(left, haar([count, short, short])));
    },
  },
});
