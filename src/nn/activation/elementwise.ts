import type { Tensor } from '@tensorflow/tfjs-core';
import { LAYOUT_AWARE, type TensorInLayout } from '../layout/layoutAware.ts';
import { Module } from '../module/module.ts';

/** The method of an {@link Elementwise} that computes; a symbol, so that no method of a subclass is in its place. */
export const ELEMENTWISE: unique symbol = Symbol('map');

/** The base class of the layers that map every element by itself: they do not care in which layout it stands. */
export abstract class Elementwise extends Module {
  /** @internal */
  abstract [ELEMENTWISE](x: Tensor): Tensor;

  forward(x: Tensor): Tensor {
    return this[ELEMENTWISE](x);
  }

  /** @internal */
  [LAYOUT_AWARE]({ tensor, isChannelsLast }: TensorInLayout): TensorInLayout {
    return { tensor: this[ELEMENTWISE](tensor), isChannelsLast };
  }
}
