import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import { refusal } from '../core/errors.ts';
import { defineParametrization } from '../parametrize/define.ts';
import { Parametrization } from '../parametrize/parametrization.ts';
import { MatrixLayout, type MatrixOptions, matrixOptions, withRows } from './matrix/matrixLayout.ts';
import { boolean, oneOf } from './options.ts';
import { checkRotations, checkSpecial, hasBaseOf } from './orthogonalMaps/checkOrthogonalOptions.ts';
import { checkOrthogonalRoom } from './orthogonalMaps/checkOrthogonalRoom.ts';
import {
  canStart,
  factorAt,
  newBase,
  type OrthogonalMap,
  orthogonalMapOption,
  startAt,
} from './orthogonalMaps/orthogonalFactor.ts';
import { haar, torus } from './orthogonalMaps/orthogonalSamples.ts';
import { matricesBy } from './set/matricesBy.ts';
import { determinantSign, isOrthonormal } from './set/orthonormal.ts';

/** Options of {@link orthogonal}. */
export interface OrthogonalOptions extends MatrixOptions {
  /**
   * The map from any matrix to an orthogonal one: its name, or a function that takes X, [b, n, k] with n ≥ k, to a
   * tensor of the same shape with orthonormal columns. The function depends on its argument only. A recipe cannot have
   * a function. Default `'matrixExp'` for square matrices, else `'householder'`.
   */
  readonly orthogonalMap?: OrthogonalMap;
  /**
   * If true, a buffer `base` holds the value of the last assignment, and the map rotates it. Then every map can be
   * assigned to, and the originals stay near the point where the gradient is best. Default true; `'polar'` has no base.
   */
  readonly useTrivialization?: boolean;
  /**
   * If true, square matrices have the determinant 1: they are rotations. Not for `'polar'`, and for a function only
   * with a base; the function must be continuous. Default false.
   */
  readonly special?: boolean;
}

/** The distribution of random orthogonal matrices. */
export type OrthogonalDistribution = 'uniform' | 'torus';

/** Options of {@link orthogonal}.sample, besides those of the map. */
export interface OrthogonalSampleOptions {
  /**
   * The distribution. `'uniform'`: the Haar distribution. `'torus'`: rotations of pairs of neighboring axes by angles
   * from U(−π, π), for recurrent kernels. Default `'uniform'`.
   */
  readonly distribution?: OrthogonalDistribution;
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
 *   diagonal of X; vⱼ has a 1 at j above column j of L;
 * - `'polar'`: the orthogonal matrix nearest to X, `UVᵀ` for `X = UΣVᵀ`. It has no base;
 * - a function of your own.
 *
 * @remarks
 * **Shape**: X, Q: [..., m, n]; a weight of more than two axes is a batch of matrices, such as [height, width] of a
 * filter. With `matrix: 'dim'`, it is one matrix with a row for each index of the axis `dim`.
 * **State**: `original` = X; with `useTrivialization` a buffer `base`, [..., k, k], where k is the larger of m and n.
 * Registration and assignment set `base` to the assigned matrix if it is orthogonal and square. Otherwise `base`
 * becomes the Q of its QR decomposition with a positive diagonal, completed to a square by the reflections of the
 * decomposition. X becomes −I, which every map takes to I. Without trivialization, `'householder'` sets X to the
 * reflections of the QR decomposition, and `'polar'` sets X to the nearest orthogonal matrix. The other maps use the
 * weight as X, and cannot be assigned to. With `special`, the last column of a matrix with determinant −1 is negated.
 * **Gradient**: to L, of any order; zero on and above the diagonal. That of `'polar'` goes to all of X; its accuracy is
 * 1e-5 up to a condition number of X of 1e3, and it is large where X is nearly singular.
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
 * @throws {@link ParametrizeError} `OPTION`, `SHAPE` if the tensor is not a matrix, or not square for `special`,
 * `DTYPE` if it is not float32, `OUT_OF_MEMORY` if the memory of the wasm backend (at most 4 GiB) has no room for it
 * @see Lezcano-Casado 2019, arXiv:1909.09501. torch.nn.utils.parametrizations.orthogonal. For `'polar'`, Björck and
 * Bowie 1971, doi:10.1137/0708036
 */
export class Orthogonal extends Parametrization {
  /** The map from any matrix to an orthogonal one. */
  readonly orthogonalMap: OrthogonalMap;
  /** True if the determinant is 1. */
  readonly special: boolean;
  /** The matrix that the map rotates; absent without trivialization. */
  declare readonly base?: Variable;
  /** The matrices of a weight of more than two axes. */
  readonly matrix: 'last' | 'dim';
  /** The axis of the rows, for `matrix: 'dim'`. */
  readonly dim: number;
  private readonly layout: MatrixLayout;

  /** @param weight - the tensor to parametrize; only its shape is used */
  constructor(weight: Tensor, options: OrthogonalOptions = {}) {
    super();
    const checked = this.checkedOptions(options);
    this.layout = new MatrixLayout('orthogonal', weight.shape, checked);
    const { rows, columns } = this.layout;
    checkFloat('orthogonal', weight);
    this.orthogonalMap = checked.orthogonalMap ?? (rows === columns ? 'matrixExp' : 'householder');
    this.special = checked.special;
    this.matrix = checked.matrix;
    this.dim = checked.dim;
    const hasBase = hasBaseOf(options, this.orthogonalMap);
    checkSpecial(this, hasBase, this.layout);
    this.checkRoom(hasBase);
    if (hasBase) this.base = newBase(this.layout);
    if (!canStart(this)) {
      // This hides the method, which tells the mechanism that the map has no right inverse.
      Object.assign(this, { rightInverse: undefined });
    }
  }

  override forward(X: Tensor): Tensor {
    this.layout.check('orthogonal', X);
    return this.layout.fromTall(factorAt(this, this.layout.tall(X)));
  }

  /**
   * Returns the original of an orthogonal W. For any other W, returns the original of the Q of `W = QR` with a positive
   * diagonal of R, or of the nearest orthogonal matrix for `'polar'`. Writes {@link base}. Absent if the instance
   * cannot be assigned to.
   */
  override rightInverse?(W: Tensor): Tensor {
    this.layout.check('orthogonal', W);
    this.checkRoom(this.base !== undefined);
    return this.layout.fromTall(startAt(this, this.layout.tall(W)));
  }

  override isPure(): boolean {
    return true;
  }

  private checkRoom(hasBase: boolean): void {
    const { layout } = this;
    const remedy =
      hasBase && layout.long > layout.short
        ? "Pass { orthogonalMap: 'householder', useTrivialization: false }, which needs no base, or dispose tensors that are not needed."
        : undefined;
    checkOrthogonalRoom('orthogonal', layout, this, hasBase ? 'square' : null, 0, remedy);
  }
}

/**
 * Makes the matrices of a weight orthogonal; see {@link Orthogonal}. An orthogonal weight keeps its value; any other
 * becomes the Q of its QR decomposition, or the nearest orthogonal matrix with `'polar'`. Without trivialization,
 * `'matrixExp'`, `'cayley'` and functions use the weight as X instead.
 *
 * @throws {@link ParametrizeError} `OPTION`, `SHAPE` if the tensor is not a matrix, or not square for `special`,
 * `DTYPE`, `OUT_OF_MEMORY`; the errors of {@link registerParametrization}
 * @example
 * ```ts
 * orthogonal(new nn.Linear(64, 64));
 * orthogonal(rnn, 'weight_hh_l0', { orthogonalMap: 'cayley' });
 * orthogonal(conv, { matrix: 'dim', orthogonalMap: 'polar' });
 * ```
 * @see torch.nn.utils.parametrizations.orthogonal
 * @function
 */
export const orthogonal = defineParametrization<Orthogonal, OrthogonalOptions, OrthogonalSampleOptions>({
  name: 'orthogonal',
  class: Orthogonal,
  hasFixedFields: true,
  options: {
    orthogonalMap: orthogonalMapOption,
    useTrivialization: { default: true, isQuiet: true, ...boolean },
    special: { default: false, isQuiet: true, ...boolean },
    ...matrixOptions,
  },
  make: (target, options) => new Orthogonal(target.value, withRows(target, options)),
  config: ({ orthogonalMap, base, special, matrix, dim }) => ({
    orthogonalMap,
    useTrivialization: base !== undefined,
    special,
    matrix,
    dim,
  }),
  set: {
    contains: (value, options, tolerance) =>
      matricesBy(value, options)?.every(
        (matrix) =>
          isOrthonormal(matrix, tolerance) &&
          (!options.special || (matrix.shape[0] === matrix.shape[1] && determinantSign(matrix) > 0)),
      ) ?? false,
    sampleOptions: { distribution: { default: 'uniform', ...oneOf(['uniform', 'torus']) } },
    sample(shape, { special, distribution, ...options }) {
      const layout = new MatrixLayout('orthogonal.sample', shape, options);
      if (special) checkRotations('orthogonal.sample', layout);
      const { count, long, short } = layout;
      const size = [count, long, short] as const;
      return layout.fromTall(distribution === 'torus' ? torus(size) : haar(size, special));
    },
  },
});

function checkFloat(caller: string, { dtype }: Tensor): void {
  if (dtype === 'float32') return;
  throw refusal('DTYPE', caller, `expected a float32 tensor, got ${dtype}`, 'Cast it first.');
}
