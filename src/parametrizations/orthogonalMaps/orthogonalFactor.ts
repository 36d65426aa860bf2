import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { refusal } from '../../core/errors.ts';
import { formatShape } from '../../core/shapes.ts';
import { assignFields } from '../../nn/module/assignFields.ts';
import type { Module } from '../../nn/module/module.ts';
import { buffer } from '../../nn/module/parameter.ts';
import { constantMatMul, plainMatMul } from '../../ops/matrix/matMul.ts';
import { polar } from '../../ops/matrix/polar.ts';
import type { MatrixLayout } from '../matrix/matrixLayout.ts';
import { orthogonalBase, reflectors } from './orthogonalBase.ts';
import { type OrthogonalMapName, orthogonalMaps, specialHouseholder } from './orthogonalMaps.ts';
import { isThin, newThinBase, thinBaseOf, thinFactor } from './thinBase.ts';

/**
 * A map from any matrix to an orthogonal one: the name of one, or a function from X, [b, n, k] with n ≥ k, to matrices
 * of the same shape with orthonormal columns. A function depends on its argument only; see {@link Orthogonal}.
 */
export type OrthogonalMap = OrthogonalMapName | ((X: Tensor) => Tensor);

/** The parts of a map that compute its orthogonal factor. */
export interface OrthogonalFactor {
  readonly orthogonalMap: OrthogonalMap;
  /** The matrix that the map rotates, [..., n, n], or its first columns, [..., n, k], if there is one. */
  readonly base?: Variable;
  /** True if square factors have the determinant 1. Default false. */
  readonly special?: boolean;
}

/** The option values of an orthogonal map. */
export const orthogonalMapOption = {
  expected: `one of ${Object.keys(orthogonalMaps)
    .map((name) => `'${name}'`)
    .join(', ')}, or a function`,
  accepts: (map: OrthogonalMap): boolean => typeof map === 'function' || Object.hasOwn(orthogonalMaps, map),
};

/** Returns the factor `Q = base · map(X)`, or `map(X)` without a base: [b, n, k]. See {@link thinFactor}, too. */
export function factorAt({ orthogonalMap, base, special = false }: OrthogonalFactor, X: Tensor): Tensor {
  if (base !== undefined && isThin(base)) return thinFactor((X) => mapped(orthogonalMap, X), base, X);
  const Q = special && orthogonalMap === 'householder' ? specialHouseholder(X) : mapped(orthogonalMap, X);
  return base === undefined ? Q : constantMatMul(tf.reshape(base, [-1, ...base.shape.slice(-2)]), Q);
}

function mapped(map: OrthogonalMap, X: Tensor): Tensor {
  if (typeof map !== 'function') return orthogonalMaps[map](X);
  const Q = map(X);
  if (tf.util.arraysEqual(Q.shape, X.shape)) return Q;
  throw refusal(
    'SHAPE',
    'orthogonalMap',
    `the function returns shape ${formatShape(Q.shape)} for a tensor of shape ${formatShape(X.shape)}`,
    'Return a tensor of the same shape.',
  );
}

/** True if the factor of a map can be W: not if the map has no base and no inverse. */
export const canStart = ({ orthogonalMap, base }: OrthogonalFactor): boolean =>
  base !== undefined || orthogonalMap === 'householder' || orthogonalMap === 'polar';

/** Makes a square base for the matrices of a layout: an identity for each. */
export const newBase = ({ batchShape, long }: MatrixLayout): Variable =>
  buffer(() => tf.broadcastTo(tf.eye(long), [...batchShape, long, long]));

/**
 * The base that suits the matrices of a layout. A square base of a matrix with a much longer side would take most of
 * the memory. With a thin one, `'matrixExp'` computes with 2k × 2k, which is less than n × n for these matrices only.
 */
export const baseOf = ({ long, short }: MatrixLayout): 'square' | 'thin' =>
  long > 2 * short ? 'thin' : 'square';

/** Makes the base that suits the matrices of a layout; see {@link baseOf}. */
export const newSuitableBase = (layout: MatrixLayout): Variable =>
  baseOf(layout) === 'thin' ? newThinBase(layout) : newBase(layout);

/**
 * Returns the X for which {@link factorAt} gives W, and writes the base of the factor, if it has one. The factor must
 * be able to; see {@link canStart}. Any other W than an orthogonal one counts as the nearest orthogonal matrix for
 * `'polar'`, else as the Q of its QR decomposition. It has no gradient.
 *
 * **Shape**: W, X: [b, n, k], n ≥ k.
 */
export function startAt(factor: OrthogonalFactor & Module, W: Tensor): Tensor {
  const { X, base } = startOf(factor, W);
  if (base !== undefined) assignFields(factor, { base: tf.reshape(base, factor.base!.shape) });
  return X;
}

/** Returns the X and the base for which the factor is W. */
function startOf(
  { orthogonalMap, base, special = false }: OrthogonalFactor,
  W: Tensor,
): { readonly X: Tensor; readonly base?: Tensor } {
  if (orthogonalMap === 'polar') return { X: polar(W) };
  if (base === undefined) return { X: reflectors(W) };
  if (isThin(base)) {
    const thin = thinBaseOf(W);
    // The coordinates in the base are −I, for which every map is I.
    return { X: tf.neg(thin), base: thin };
  }
  const X = tf.neg(tf.broadcastTo(tf.eye(W.shape[1]!, W.shape[2]!), W.shape));
  const whole = orthogonalBase(W, special);
  if (typeof orthogonalMap !== 'function') return { X, base: whole };
  // base · f(X) = W for the rotation from f(X), completed to a square, to W.
  const start = tf.tidy(() => orthogonalBase(mapped(orthogonalMap, X), special));
  return { X, base: tf.tidy(() => plainMatMul(whole, start, false, true)) };
}
