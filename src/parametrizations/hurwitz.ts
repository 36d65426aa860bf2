import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { normalNumbers } from '../nn/init/random.ts';
import { choleskyFactor } from '../ops/float64/choleskyFactor.ts';
import { smithSolve } from '../ops/float64/smithSolve.ts';
import { cholesky } from '../ops/matrix/cholesky.ts';
import { generalInverse } from '../ops/matrix/generalInverse.ts';
import { matMul, matMulNT, plainMatMul } from '../ops/matrix/matMul.ts';
import { psd } from '../ops/matrix/psd.ts';
import { smith } from '../ops/matrix/smith.ts';
import { symmetricPart } from '../ops/matrix/symmetricPart.ts';
import { transpose } from '../ops/matrix/transpose.ts';
import { tril } from '../ops/matrix/triangular.ts';
import { norm } from '../ops/norm/norm.ts';
import { defineParametrization } from '../parametrize/define.ts';
import { Parametrization } from '../parametrize/parametrization.ts';
import { MatrixLayout } from './matrix/matrixLayout.ts';
import { positiveTriangle, positiveTriangleInverse } from './matrix/positiveTriangle.ts';
import { checkSquare } from './matrix/squareMatrix.ts';
import { finite } from './options.ts';
import { matricesBy } from './set/matricesBy.ts';
import { largest } from './set/slices.ts';

/** Options of {@link hurwitz}. */
export interface HurwitzOptions {
  /** The real parts of all eigenvalues are below −α. Default 0. */
  readonly alpha?: number;
}

/** The least eigenvalue of the positive definite factors. */
const LEAST = 1e-6;

/** The least eigenvalue of Q in the right inverse. */
const LEAST_START = 1e-5;

/** Below this residual of the Lyapunov equation, a matrix is stable. */
const STABLE = 0.1;

/**
 * Makes stable matrices: the real parts of all eigenvalues are below −α. `A = P(S − Q/2) − αI`, with positive definite
 * `P = LLᵀ + 1e-6·I` and Q likewise, and a skew-symmetric S. Each stable matrix has this form, as P⁻¹ solves a Lyapunov
 * equation of A + αI.
 *
 * @remarks
 * **Shape**: Q, P, S, A: [..., n, n].
 * **State**: `original0`, alias `Q`: the factor L of Q, by its lower triangle with softplus on the diagonal;
 * `original1`, alias `P`: that of P; `original2`, alias `S`: S by its part below the diagonal.
 * **Gradient**: of any order; zero in the triangles that are not used.
 *
 * A stable matrix keeps its value, with an error of 1e-6 to 1e-5 of its largest element, which grows as the real parts
 * come near −α. A matrix with real parts above −0.002 of its mean size, or to the right of −α, moves left by
 * `‖sym A‖_F + 0.1·‖A‖_F/√n`, where A counts with α.
 *
 * @throws {@link ParametrizeError} `OPTION`; `SHAPE` if the tensor is not square
 * @see Gillis and Sharma 2017, doi:10.1016/j.automatica.2017.07.047
 */
export class Hurwitz extends Parametrization {
  /** The real parts of all eigenvalues are below −α. */
  readonly alpha: number;
  private readonly layout: MatrixLayout;

  /** @param weight - the tensor to parametrize; only its shape is used */
  constructor(weight: Tensor, options: HurwitzOptions = {}) {
    super();
    this.alpha = this.checkedOptions(options).alpha;
    checkSquare('hurwitz', weight);
    this.layout = new MatrixLayout('hurwitz', weight.shape);
  }

  override forward(Q: Tensor, P: Tensor, S: Tensor): Tensor {
    const { layout, alpha } = this;
    layout.check('hurwitz', S);
    const [q, p] = [Q, P].map((X) => positiveDefiniteOf(layout.matrices(X))) as [Tensor, Tensor];
    const triangle = tril(layout.matrices(S), -1);
    const inner = tf.sub(tf.sub(triangle, transpose(triangle)), tf.mul(q, 0.5));
    return layout.tensor(shifted(matMul(p, inner), -alpha));
  }

  /** Returns the originals of a stable A. */
  override rightInverse(A: Tensor): [Q: Tensor, P: Tensor, S: Tensor] {
    const { layout, alpha } = this;
    layout.check('hurwitz', A);
    const originals = tf.tidy(() => originalsOf(stable(shifted(layout.matrices(A), alpha))));
    return originals.map((X) => layout.tensor(X)) as [Tensor, Tensor, Tensor];
  }

  override isPure(): boolean {
    return true;
  }
}

/** `X + c·I` */
const shifted = (X: Tensor, c: Tensor | number): Tensor =>
  c === 0 ? X : tf.add(X, tf.mul(c, tf.eye(X.shape[2]!)));

/** `LLᵀ + 1e-6·I` with the positive triangle L of X. */
function positiveDefiniteOf(X: Tensor): Tensor {
  const L = positiveTriangle(X);
  return shifted(matMulNT(L, L), LEAST);
}

/** The inverse of {@link positiveDefiniteOf}, for the matrix with its eigenvalues raised to where it has one. */
const originalOf = (P: Tensor): Tensor =>
  tf.tidy(() => {
    const floor = tf.add(tf.mul(1e-6, norm(P, [1, 2])), 2 * LEAST);
    return positiveTriangleInverse(cholesky(shifted(psd(symmetricPart(P), floor), -LEAST)));
  });

/** Returns A where it is stable, else A moved to the left. */
const stable = (A: Tensor): Tensor =>
  tf.tidy(() => {
    const n = A.shape[2]!;
    const { residual } = smith(A, identities(A));
    const size = tf.add(norm(symmetricPart(A), [1, 2]), tf.mul(0.1 / Math.sqrt(n), norm(A, [1, 2])));
    const move = tf.where(tf.greater(size, 0), size, tf.onesLike(size));
    return tf.where(tf.less(residual, STABLE), A, shifted(A, tf.neg(move)));
  });

/**
 * Returns the originals of a stable A. For Z with `AᵀZ + ZA = −qI`, `P = Z⁻¹`, `Q = qI` and `S = ZA + qI/2`. The number
 * q is the one with which P and Q have one size, so that neither is below the least eigenvalue.
 */
function originalsOf(A: Tensor): Tensor[] {
  const { P: Z } = smith(A, identities(A));
  const q = tf.maximum(tf.div(1, tf.sqrt(norm(Z, [1, 2]))), LEAST_START);
  const inverseOfZ = generalInverse(Z);
  const P = tf.div(inverseOfZ, q);
  const product = tf.mul(q, plainMatMul(Z, A));
  const S = tf.mul(tf.sub(product, transpose(product)), 0.5);
  return [originalOf(tf.mul(q, identities(A))), originalOf(P), tril(S, -1)];
}

const identities = (A: Tensor): Tensor => tf.broadcastTo(tf.eye(A.shape[2]!), A.shape);

/**
 * Makes the matrices of a weight stable: the real parts of all eigenvalues are below −α; see {@link Hurwitz}. A stable
 * weight keeps its value.
 *
 * @throws {@link ParametrizeError} `OPTION`; `SHAPE` if the tensor is not square; the errors of
 * {@link registerParametrization}
 * @example
 * ```ts
 * hurwitz(system, 'A', { alpha: 0.1 }); // x′ = Ax, which decays as e^(−0.1t) or faster
 * ```
 * @function
 */
export const hurwitz = defineParametrization<Hurwitz, HurwitzOptions>({
  name: 'hurwitz',
  class: Hurwitz,
  hasFixedFields: true,
  copies: 93,
  originals: { Q: {}, P: {}, S: {} },
  options: { alpha: { default: 0, ...finite } },
  make: ({ value }, options) => new Hurwitz(value, options),
  set: {
    contains: (value, { alpha }, tolerance) =>
      matricesBy(value)?.every(({ data, shape: [m, n] }) => {
        if (m !== n) return false;
        const shift = alpha - tolerance * largest(data);
        const identity = data.map((_, i) => (i % (n! + 1) === 0 ? 1 : 0));
        const Z = smithSolve(
          data.map((x, i) => x + shift * identity[i]!),
          identity,
          n!,
        );
        return Z !== null && choleskyFactor(Z, n!) !== null;
      }) ?? false,
    sample(shape, { alpha }) {
      const numbers = (): Tensor => normalNumbers(shape, 1 / Math.sqrt(shape.at(-1) || 1));
      const whole = numbers();
      checkSquare('hurwitz.sample', whole);
      const layout = new MatrixLayout('hurwitz.sample', shape);
      const [P, Q, S] = [whole, numbers(), numbers()].map((x) => layout.matrices(x)) as [
        Tensor,
        Tensor,
        Tensor,
      ];
      const positive = (x: Tensor): Tensor => shifted(plainMatMul(x, x, false, true), 0.5);
      const inner = tf.sub(tf.sub(S, transpose(S)), tf.mul(positive(Q), 0.5));
      return layout.tensor(shifted(plainMatMul(positive(P), inner), -alpha));
    },
  },
});
