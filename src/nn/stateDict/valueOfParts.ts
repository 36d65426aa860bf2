import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { ParametrizeError } from '../../core/errors.ts';
import { formatShape } from '../../core/shapes.ts';
import { asMatrix, matVec } from '../../ops/matrix/powerIteration.ts';
import { direction } from '../../ops/norm/direction.ts';
import { isZero } from '../../ops/norm/norm.ts';
import { scaleToOne } from '../../ops/norm/scaleToOne.ts';
import { outputAxis } from '../module/outputAxis.ts';
import { keptAxes, leftAxes, type Normalization, rowAxes } from './normalization.ts';

/** The values in a state dict for one normalized tensor, by the modern names. */
export type Parts = Readonly<Record<string, Tensor>>;

/**
 * The functions that compute the value of a normalized tensor from its parts.
 *
 * @throws {@link ParametrizeError} `SHAPE` if the parts do not fit each other
 */
export const valueOfParts: Readonly<
  Record<Normalization, (key: string, parts: Parts, module: object) => Tensor>
> = {
  weightNorm: (key, parts) => weightOf(key, parts['original0']!, parts['original1']!),
  spectralNorm: quotientOf,
};

/** `g · v / ‖v‖`: the axes along which g has more than one element keep a norm of their own. */
function weightOf(key: string, g: Tensor, v: Tensor): Tensor {
  const kept = keptAxes(g.shape, v.shape);
  if (kept === null) throw misfit(key, `g has shape ${formatShape(g.shape)} and v ${formatShape(v.shape)}`);
  const reduced = v.shape.map((_, axis) => axis).filter((axis) => !kept.includes(axis));
  return tf.mul(g, direction(v, reduced, 0).unit);
}

/** `W / σ` with `σ = uᵀMv`, along the axis that the vectors fit; a σ of zero counts as 1. */
function quotientOf(key: string, parts: Parts, module: object): Tensor {
  const [W, u, v] = [parts['original']!, parts['0._u']!, parts['0._v']!];
  const dim = preferred(rowAxes(W.shape, u.shape, v.shape), module, W);
  if (dim === undefined) {
    const shapes = [W, u, v].map(({ shape }) => formatShape(shape));
    throw misfit(key, `the original has shape ${shapes[0]}, u ${shapes[1]} and v ${shapes[2]}`);
  }
  const scaled = scaleToOne(W);
  const sigma = tf.sum(tf.mul(u, matVec(asMatrix(scaled, dim), v, false)));
  return tf.div(scaled, tf.add(sigma, isZero(tf.abs(sigma))));
}

/** Returns the output axis of the module, if it is among the axes that fit. */
function preferred(axes: readonly number[], module: object, W: Tensor): number | undefined {
  const output = outputAxis(module, W);
  return axes.includes(output) ? output : axes[0];
}

/**
 * Returns the right vector along `Mᵀu` with which the original and the left vector give a value. The oldest state dicts
 * of torch do not have it.
 *
 * @throws {@link ParametrizeError} `SHAPE` if they do not fit each other
 */
export function rightVectorOf(key: string, W: Tensor, u: Tensor, value: Tensor, module: object): Tensor {
  const dim = preferred(leftAxes(W.shape, u.shape), module, W);
  if (dim === undefined || !tf.util.arraysEqual(W.shape, value.shape)) {
    const shapes = [W, u, value].map(({ shape }) => formatShape(shape));
    throw misfit(key, `the original has shape ${shapes[0]}, u ${shapes[1]} and the value ${shapes[2]}`);
  }
  const sigma = tf.div(tf.sum(tf.square(W)), tf.sum(tf.mul(W, value)));
  const product = matVec(asMatrix(W, dim), u, true);
  return tf.mul(product, tf.div(sigma, tf.sum(tf.square(product))));
}

const misfit = (key: string, fact: string): ParametrizeError =>
  new ParametrizeError('SHAPE', `the parts of '${key}' do not fit each other: ${fact}`);
