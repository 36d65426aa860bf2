import type { Tensor } from '@tensorflow/tfjs-core';
import { LAYOUT_AWARE, type TensorInLayout } from '../layout/layoutAware.ts';
import { Module } from '../module/module.ts';

/**
 * The key of the computing method of an {@link Elementwise}. It is a symbol, so a method of a subclass cannot replace
 * it by accident.
 */
export const ELEMENTWISE: unique symbol = Symbol('map');

/** The base class of the layers that map each element separately. They work in every layout. */
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
