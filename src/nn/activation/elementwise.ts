import type { Tensor } from '@tensorflow/tfjs-core';
import { ANY_LAYOUT, type LaidOut } from '../layout/layoutAware.ts';
import { Module } from '../module/module.ts';

/** The method of an {@link Elementwise} that computes; a symbol, so that no method of a subclass is in its place. */
export const MAP: unique symbol = Symbol('map');

/** What the layers that map every element by itself have in common: they do not care in which layout it stands. */
export abstract class Elementwise extends Module {
  /** @internal */
  abstract [MAP](x: Tensor): Tensor;

  forward(x: Tensor): Tensor {
    return this[MAP](x);
  }

  /** @internal */
  [ANY_LAYOUT]({ tensor, isChannelsLast }: LaidOut): LaidOut {
    return { tensor: this[MAP](tensor), isChannelsLast };
  }
}
