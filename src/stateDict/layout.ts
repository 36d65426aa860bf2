import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import type { KeyAction } from '../nn/stateDict/keyMapping.ts';

/** A factor of an axis. It keeps its name and length in both layouts. */
export interface Factor {
  readonly name: string;
  readonly size: number;
}

/** The axes of a tensor. Each is a product of factors, from the slowest to the fastest. */
export type Axes = readonly (readonly Factor[])[];

/**
 * The orders of the elements of a tensor in torch and in another framework: the same factors of its axes in another
 * order and grouping. A kernel of `[h·w·c, out]` is torch's `[out, c·h·w]`.
 */
export class Layout {
  private readonly torch: Axes;
  private readonly other: Axes;

  constructor(torch: Axes, other: Axes) {
    this.torch = torch;
    this.other = other;
  }

  /** The shape in torch. */
  get torchShape(): number[] {
    return this.torch.map(sizeOf);
  }

  /** The shape in the other framework. */
  get shape(): number[] {
    return this.other.map(sizeOf);
  }

  /**
   * Converts a tensor to torch's layout.
   *
   * @remarks
   * **Shape**: {@link shape} to {@link torchShape}; an axis of length 1 stays so.
   */
  toTorch(value: Tensor): Tensor {
    return rearrange(value, this.other, this.torch);
  }

  /** Converts a tensor from torch's layout: the inverse of {@link toTorch}. */
  fromTorch(value: Tensor): Tensor {
    return rearrange(value, this.torch, this.other);
  }

  /** Returns the layout of the transpose of the tensor of the other framework, for the same tensor of torch. */
  transposed(): Layout {
    return new Layout(this.torch, [...this.other].reverse());
  }

  /** Returns a text that is equal for layouts that move elements in the same way, whatever the names of factors. */
  id(): string {
    const places = new Map(this.other.flat().map(({ name }, place) => [name, place]));
    const named = (axes: Axes): unknown =>
      axes.map((axis) => axis.map(({ name, size }) => [places.get(name), size]));
    return JSON.stringify([named(this.torch), named(this.other)]);
  }

  /** Returns the axes in torch with exactly the elements of some axes of the other layout, or null. */
  torchAxes(axes: readonly number[]): number[] | null {
    return sameAxes(axes, this.other, this.torch);
  }

  /** The inverse of {@link torchAxes}. */
  axes(torchAxes: readonly number[]): number[] | null {
    return sameAxes(torchAxes, this.torch, this.other);
  }

  /** Returns the action of {@link fromTorch} for a report, or null if it does nothing. */
  action(): KeyAction | null {
    const [from, to] = [this.torch, this.other].map(textOf) as [string, string];
    if (from === to) return null;
    const isSame = tf.util.arraysEqual(this.torchShape, this.shape);
    const change = !isInOrder(this.torch, this.other) ? 'transpose' : isSame ? 'none' : 'reshape';
    return { kind: 'layout', change, from, to };
  }
}

const sizeOf = (axis: readonly Factor[]): number => axis.reduce((product, { size }) => product * size, 1);

const textOf = (axes: Axes): string =>
  `[${axes.map((axis) => axis.map(({ name }) => name).join('·') || '1').join(', ')}]`;

/**
 * Returns a tensor in another shape with its own data. Kernels of the wasm backend use the shape that data was made
 * with, even if a variable has the data in another shape.
 */
export const reshaped = (value: Tensor, shape: number[]): Tensor => tf.clone(tf.reshape(value, shape));

/** True if the elements have the same order in memory. */
const isInOrder = (a: Axes, b: Axes): boolean => {
  const [before, after] = [a, b].map((axes) => axes.flat().filter(({ size }) => size !== 1));
  return before!.every((factor, i) => factor === after![i]);
};

function rearrange(value: Tensor, from: Axes, to: Axes): Tensor {
  // All factors of a reduced axis are 1, as in a tensor of norms or a singular vector.
  const kept = new Set(from.flatMap((axis, i) => (value.shape[i] === sizeOf(axis) ? axis : [])));
  const size = (factor: Factor): number => (kept.has(factor) ? factor.size : 1);
  const shape = to.map((axis) => axis.reduce((product, factor) => product * size(factor), 1));
  if (isInOrder(from, to)) return reshaped(value, shape);
  const factors = from.flat();
  const order = to.flat().map((factor) => factors.indexOf(factor));
  return reshaped(tf.transpose(tf.reshape(value, factors.map(size)), order), shape);
}

function sameAxes(axes: readonly number[], from: Axes, to: Axes): number[] | null {
  const wanted = new Set(axes.flatMap((axis) => from[axis] ?? []));
  const found = to.flatMap((axis, i) => (axis.some((factor) => wanted.has(factor)) ? [i] : []));
  const isWhole = found.every((axis) => to[axis]!.every((factor) => factor.size === 1 || wanted.has(factor)));
  return isWhole ? found : null;
}
