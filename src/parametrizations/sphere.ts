import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { refusal } from '../core/errors.ts';
import { formatShape } from '../core/shapes.ts';
import { normalNumbers } from '../nn/init/random.ts';
import { assignFields } from '../nn/module/assignFields.ts';
import { buffer } from '../nn/module/parameter.ts';
import { type EvenFunction, evenFunction } from '../ops/norm/evenFunction.ts';
import { norm } from '../ops/norm/norm.ts';
import { cos, sin } from '../ops/sin.ts';
import { defineParametrization } from '../parametrize/define.ts';
import { Parametrization } from '../parametrize/parametrization.ts';
import { axesOf, type NormAxis, normAxes } from './axes/normAxes.ts';
import { scaledTo } from './norms/scaledTo.ts';
import { aboveZero, oneOf } from './options.ts';
import { lengthsAlong } from './set/slices.ts';

/** The map from any tensor to vectors of one length. */
export type SphereMap = 'project' | 'exp';

/** Options of {@link sphere}. */
export interface SphereOptions {
  /** The length of every vector. Default 1. */
  readonly radius?: number;
  /** The axis or axes of each vector. Default -1, the last axis. */
  readonly axis?: NormAxis;
  /**
   * The map. `'project'` divides X by its norm. `'exp'` walks from a point of the sphere, in a buffer, along a great
   * circle: the distance is the length of X. Default `'project'`.
   */
  readonly map?: SphereMap;
}

const cosine: EvenFunction = { series: [-1 / 2, -1 / 12, -1 / 30], limit: 0.0025, of: cos };

/** `sin n / n` */
const cardinalSine: EvenFunction = {
  series: [-1 / 6, -1 / 20, -1 / 42],
  limit: 0.0025,
  of: (norm) => tf.div(sin(norm), norm),
};

/**
 * Gives every vector along some axes one length: `‖W‖ = radius`.
 *
 * - `'project'`: `W = radius · X / ‖X‖`;
 * - `'exp'`: `W = radius · (cos n · b + sin n / n · v)` with the point b, `v = X − ⟨X, b⟩b` and `n = ‖v‖`.
 *
 * @remarks
 * **Shape**: X, W: S; b: S.
 * **State**: `original` = X; with `'exp'` a buffer `base` = b, whose vectors have length 1. Registration and assignment
 * set b to the direction of the weight and X to zero, or without `base` X to the direction.
 * **Gradient**: of any order, orthogonal to W. With `'project'` it is proportional to `1/‖X‖`, and where X is zero, W
 * and the gradient are zero. With `'exp'` it is smooth everywhere, also where X is zero.
 * **Ownership**: the instance owns `base`; `dispose()` frees it. A removal disposes an instance that {@link sphere}
 * made.
 *
 * A vector of another length moves to the nearest point of the sphere. A vector of zeros has no direction and gets a
 * random one, which follows `nn.manualSeed`.
 *
 * @throws {@link ParametrizeError} `OPTION` for an invalid option, `SHAPE` for a tensor of another shape than the
 * weight with `'exp'`
 * @see Riemannian exponential map: Absil, Mahony and Sepulchre 2008, Optimization Algorithms on Matrix Manifolds
 */
export class Sphere extends Parametrization {
  /** The length of every vector. */
  readonly radius: number;
  /** The axes of each vector, as given. */
  readonly axis: readonly number[];
  /** The map. */
  readonly map: SphereMap;
  /** The directions that the map `'exp'` starts from; absent with `'project'`. */
  declare readonly base?: Variable;

  /** @param weight - the tensor to parametrize; only its shape is used */
  constructor(weight: Tensor, options: SphereOptions = {}) {
    super();
    const { radius, axis, map } = this.checkedOptions(options);
    this.radius = radius;
    this.axis = [axis].flat();
    this.map = map;
    const axes = axesOf('sphere', this.axis, weight);
    if (map === 'exp') this.base = buffer(() => scaledTo(1, tf.ones(weight.shape), axes));
  }

  override forward(X: Tensor): Tensor {
    const { radius, base } = this;
    const axes = axesOf('sphere', this.axis, X);
    if (base === undefined) return scaledTo(radius, X, axes);
    this.checkShape(X, base);
    const v = tf.sub(X, tf.mul(tf.sum(tf.mul(X, base), axes, true), base));
    const q = tf.sum(tf.square(v), axes, true);
    const unit = tf.add(tf.mul(evenFunction(q, cosine), base), tf.mul(evenFunction(q, cardinalSine), v));
    return radius === 1 ? unit : tf.mul(unit, radius);
  }

  /** Returns the direction of W, or with `'exp'` zero, after it has written the direction to {@link base}. */
  override rightInverse(W: Tensor): Tensor {
    const { base } = this;
    const axes = axesOf('sphere', this.axis, W);
    if (base === undefined) return directionOf(W, axes);
    this.checkShape(W, base);
    assignFields(this, { base: directionOf(W, axes) });
    return tf.zerosLike(W);
  }

  override isPure(): boolean {
    return true;
  }

  private checkShape({ shape }: Tensor, base: Tensor): void {
    if (tf.util.arraysEqual(shape, base.shape)) return;
    throw refusal(
      'SHAPE',
      'sphere',
      `expected a tensor of shape ${formatShape(base.shape)}, got ${formatShape(shape)}`,
      'Make a new Sphere for it.',
    );
  }
}

/** Returns the directions of vectors, and random ones for vectors of zeros. */
const directionOf = (x: Tensor, axes: readonly number[]): Tensor =>
  tf.tidy(() => {
    const isZero = tf.equal(norm(x, axes), 0);
    return tf.where(isZero, randomDirections(x.shape, axes), scaledTo(1, x, axes));
  });

const randomDirections = (shape: readonly number[], axes: readonly number[]): Tensor =>
  scaledTo(1, normalNumbers(shape), axes);

/**
 * Gives every vector of a weight one length; see {@link Sphere}. Vectors of this length keep their value; others keep
 * their direction.
 *
 * @throws {@link ParametrizeError} `OPTION` for an `axis` that is invalid for the tensor; the errors of
 * {@link registerParametrization}
 * @example
 * ```ts
 * sphere(embedding);                                   // every row has length 1
 * sphere(layer, 'weight', { radius: 2, map: 'exp' });
 * ```
 * @function
 */
export const sphere = defineParametrization<Sphere, SphereOptions>({
  name: 'sphere',
  class: Sphere,
  hasFixedFields: true,
  copies: 50,
  options: {
    radius: { default: 1, ...aboveZero },
    axis: { default: -1, ...normAxes },
    map: { default: 'project', isQuiet: true, ...oneOf(['project', 'exp']) },
  },
  axes: { option: 'axis' },
  make: ({ value }, options) => new Sphere(value, options),
  set: {
    contains: (value, { axis, radius }, tolerance) =>
      lengthsAlong(value, [axis].flat())?.every(
        (length) => Math.abs(length - radius) <= tolerance * radius,
      ) ?? false,
    sample(shape, { axis, radius }) {
      const numbers = normalNumbers(shape);
      return scaledTo(radius, numbers, axesOf('sphere.sample', [axis].flat(), numbers));
    },
  },
});
