import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { inCallOf } from '../module/disposal.ts';
import { hooks } from '../module/hooks.ts';
import { Module } from '../module/module.ts';
import { toChannelsFirst, toChannelsLast, toTorchOrder } from './channelsLast.ts';
import type { SpatialInput } from './spatialInput.ts';

// Between two layers that compute on channels-last tensors, a transpose to torch's layout and the transpose back
// cancel. So a Sequential passes a tensor on in its current layout, and a layer that needs the other layout transposes
// it.

/** A tensor with channels last, `[n, ...size, c]`, or in torch's layout, `[n, c, ...size]` or any other shape. */
export interface TensorInLayout {
  readonly tensor: Tensor;
  readonly isChannelsLast: boolean;
}

/**
 * The key of the method that computes the `forward` of a module on a tensor in either layout, and returns the result
 * with its layout. The method belongs to the class that defines the `forward`. If a subclass overrides `forward`, the
 * method is not used.
 *
 * This symbol is not in the global registry, because the hooks of a module of another copy of the package are not
 * visible here.
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

/** Returns the {@link LAYOUT_AWARE} of a module, unless a subclass overrides `forward`. */
function computeOf(module: Module): Compute | undefined {
  for (let level: object | null = module; level !== null; level = Object.getPrototypeOf(level)) {
    const found = Object.getOwnPropertyDescriptor(level, LAYOUT_AWARE);
    if (found !== undefined) return found.value as Compute;
    if (Object.hasOwn(level, 'forward')) return undefined;
  }
  return undefined;
}

/** Marks a tensor as in torch's layout. */
export const torchLayout = (tensor: Tensor): TensorInLayout => ({ tensor, isChannelsLast: false });

/** Marks a tensor as channels-last. */
export const channelsLast = (tensor: Tensor): TensorInLayout => ({ tensor, isChannelsLast: true });

/** Returns the tensor in torch's layout. */
export const inTorchLayout = ({ tensor, isChannelsLast }: TensorInLayout): Tensor =>
  isChannelsLast ? tf.tidy(() => toChannelsFirst(tensor)) : tensor;

/** Returns the properties of an input that a layer checks, with the shape in torch's layout. */
export const spatialInputOf = (x: TensorInLayout): SpatialInput => ({
  rank: x.tensor.rank,
  dtype: x.tensor.dtype,
  shape: shapeOf(x),
});

/** Returns the shape in torch's layout, which messages show. */
export const shapeOf = ({ tensor, isChannelsLast }: TensorInLayout): number[] =>
  isChannelsLast ? toTorchOrder(tensor.shape) : tensor.shape;

/**
 * Applies a map for channels-last batches.
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
  // An input without a batch for this layer may have had a batch in the previous layer, which had fewer spatial axes.
  const y = toChannelsFirst(map(toChannelsLast(tf.expandDims(inTorchLayout(x), 0))));
  return torchLayout(tf.squeeze(y, [0]));
}
