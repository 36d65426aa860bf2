import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { inCallOf } from '../module/disposal.ts';
import { hooks } from '../module/hooks.ts';
import { Module } from '../module/module.ts';
import { toChannelsFirst, toChannelsLast, toTorchOrder } from './channelsLast.ts';
import type { SpatialInput } from './spatialInput.ts';

// Between two layers that compute on channels-last tensors, a transpose to torch's layout and one back undo each other.
// So a Sequential hands a tensor on in the layout that it is in, and who needs another one transposes it.

/** A tensor in torch's layout, `[n, c, ...size]` or any other, or with its channels last, `[n, ...size, c]`. */
export interface TensorInLayout {
  readonly tensor: Tensor;
  readonly isChannelsLast: boolean;
}

/**
 * The method of a module that does what its `forward` does to a tensor in either layout, and says in which one its
 * result is. It stands in the class that has the `forward`: a subclass with another `forward` has none.
 *
 * This symbol is not in the global registry: the hooks of a module of another copy of this package cannot be seen here.
 */
export const LAYOUT_AWARE: unique symbol = Symbol('anyLayout');

type Compute = (this: Module, x: TensorInLayout) => TensorInLayout;

/** Calls the module in the input's current layout, if it supports that and has no hooks or overridden `call`. */
export function callLayoutAware(module: Module, x: TensorInLayout): TensorInLayout {
  const compute = computeOf(module);
  if (compute === undefined || isWatched(module) || !(x.tensor instanceof tf.Tensor)) {
    return torchLayout(module.call(inTorchLayout(x)) as Tensor);
  }
  return inCallOf(module, () => compute.call(module, x));
}

const isWatched = (module: Module): boolean =>
  module.call !== Module.prototype.call ||
  hooks(module, 'forwardPre').length + hooks(module, 'forward').length > 0;

/** The {@link LAYOUT_AWARE} of a module, if it is not older than the `forward`. */
function computeOf(module: Module): Compute | undefined {
  for (let level: object | null = module; level !== null; level = Object.getPrototypeOf(level)) {
    const found = Object.getOwnPropertyDescriptor(level, LAYOUT_AWARE);
    if (found !== undefined) return found.value as Compute;
    if (Object.hasOwn(level, 'forward')) return undefined;
  }
  return undefined;
}

/** A tensor that is in torch's layout. */
export const torchLayout = (tensor: Tensor): TensorInLayout => ({ tensor, isChannelsLast: false });

/** A tensor whose channels are last. */
export const channelsLast = (tensor: Tensor): TensorInLayout => ({ tensor, isChannelsLast: true });

/** The tensor in torch's layout. */
export const inTorchLayout = ({ tensor, isChannelsLast }: TensorInLayout): Tensor =>
  isChannelsLast ? tf.tidy(() => toChannelsFirst(tensor)) : tensor;

/** The facts about an input that a layer checks, with the shape in torch's layout. */
export const spatialInputOf = (x: TensorInLayout): SpatialInput => ({
  rank: x.tensor.rank,
  dtype: x.tensor.dtype,
  shape: shapeOf(x),
});

/** The shape in torch's layout, which is the one that the user knows. */
export const shapeOf = ({ tensor, isChannelsLast }: TensorInLayout): number[] =>
  isChannelsLast ? toTorchOrder(tensor.shape) : tensor.shape;

/**
 * Applies a map of a channels-last batch.
 *
 * @param rank - number of spatial axes
 * @param mapOf - checks the input and makes the map
 */
export function mapChannelsLast(
  x: TensorInLayout,
  rank: number,
  mapOf: (input: SpatialInput) => (batch: Tensor) => Tensor,
): TensorInLayout {
  const map = mapOf(spatialInputOf(x));
  if (x.tensor.rank === rank + 2) {
    return channelsLast(map(x.isChannelsLast ? x.tensor : toChannelsLast(x.tensor)));
  }
  // An input without a batch here may have had one in the layer before, which had fewer axes.
  const y = toChannelsFirst(map(toChannelsLast(tf.expandDims(inTorchLayout(x), 0))));
  return torchLayout(tf.squeeze(y, [0]));
}
