import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { axisIn } from '../../core/axes.ts';
import { refusal } from '../../core/errors.ts';
import { formatShape } from '../../core/shapes.ts';
import { reducedAxes } from '../axes/keptAxes.ts';

/** The elements of a tensor that share a scale. */
export interface ScaleAxes {
  /** The axes with a scale for each index. */
  readonly dim: readonly number[];
  /** The number of neighbors along `groupDim` that share a scale; undefined if the whole axis does. */
  readonly groupSize?: number | undefined;
  readonly groupDim?: number | undefined;
}

/**
 * The layout of scales: the shape that they have, and the shape in which they meet the elements of their tensor. A
 * tensor with groups is seen as one with an axis of groups and an axis of neighbors.
 */
export class ScaleLayout {
  /** The shape of the tensor. */
  readonly shape: readonly number[];
  /** The shape of the scales: the sizes of the axes with several scales, in their order; `[1]` for one scale. */
  readonly scaleShape: readonly number[];
  /** The number of scales along each axis of the tensor. */
  readonly scalesAlong: readonly number[];
  private readonly seen: number[];
  private readonly broadcastShape: number[];

  /**
   * @param shape - the shape of the tensor
   * @throws {@link ParametrizeError} `OPTION` for an axis that the tensor lacks or that is there twice; `SHAPE` if the
   * groups do not divide their axis
   */
  constructor(caller: string, shape: readonly number[], { dim, groupSize, groupDim }: ScaleAxes) {
    this.shape = shape;
    const reduced = reducedAxes(caller, dim, { shape: [...shape], rank: shape.length });
    const groups =
      groupSize === undefined ? null : checkedGroups(caller, shape, groupSize, groupDim!, reduced);
    this.seen = shape.flatMap((size, axis) => (axis === groups?.axis ? [groups.count, groupSize!] : [size]));
    this.broadcastShape = shape.flatMap((size, axis) => {
      if (axis === groups?.axis) return [groups.count, 1];
      return [reduced.includes(axis) ? 1 : size];
    });
    this.scalesAlong = shape.map((size, axis) => {
      if (axis === groups?.axis) return groups.count;
      return reduced.includes(axis) ? 1 : size;
    });
    const several = this.scalesAlong.filter((_, axis) => axis === groups?.axis || !reduced.includes(axis));
    this.scaleShape = several.length === 0 ? [1] : several;
  }

  /** The number of elements that share a scale. */
  get elements(): number {
    return this.scaleCount === 0 ? 0 : this.shape.reduce((a, b) => a * b, 1) / this.scaleCount;
  }

  private get scaleCount(): number {
    return this.scaleShape.reduce((a, b) => a * b, 1);
  }

  /** Returns a tensor as the scales meet it. */
  split(x: Tensor): Tensor {
    return tf.reshape(x, this.seen);
  }

  /** The inverse of {@link split}. */
  merge(x: Tensor): Tensor {
    return tf.reshape(x, [...this.shape]);
  }

  /** Returns one number for each scale in the shape that meets {@link split}. */
  broadcast(scales: Tensor): Tensor {
    return tf.reshape(scales, this.broadcastShape);
  }

  /** Reduces a tensor that {@link split} returned to one number for each scale. */
  reduce(x: Tensor, by: (x: Tensor, axes: number[]) => Tensor): Tensor {
    const axes = this.broadcastShape.map((_, axis) => axis).filter((axis) => this.broadcastShape[axis] === 1);
    return tf.reshape(by(x, axes), [...this.scaleShape]);
  }
}

function checkedGroups(
  caller: string,
  shape: readonly number[],
  groupSize: number,
  groupDim: number,
  reduced: readonly number[],
): { readonly axis: number; readonly count: number } {
  const axis = axisIn(groupDim, shape.length);
  if (axis === undefined || !reduced.includes(axis)) {
    const fact = axis === undefined ? 'is out of range' : 'is an axis of dim, too';
    throw refusal('OPTION', caller, `groupDim ${groupDim} ${fact} for shape ${formatShape(shape)}`);
  }
  const size = shape[axis]!;
  if (size % groupSize === 0) return { axis, count: size / groupSize };
  throw refusal(
    'SHAPE',
    caller,
    `axis ${axis} of shape ${formatShape(shape)} has ${size} elements, which are not groups of ${groupSize}`,
    'Pass a groupSize that divides it, or leave groupSize out.',
  );
}
