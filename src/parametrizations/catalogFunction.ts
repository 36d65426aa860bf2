import type { Tensor } from '@tensorflow/tfjs-core';
import type { ForeignName, LooseHost } from '../parametrize/registerParametrization.ts';

/** A function of the catalog, such as `weightNorm`: registers its parametrization on a tensor of a host. */
export interface CatalogFunction<O = never> {
  /** On a tensor that the type of the host names. */
  <H extends { [N in K]: Tensor | null | undefined }, K extends string>(host: H, name: K, options?: O): H;
  /** On the main weight of a host, or on a tensor that another entry point knows the name of. */
  <H extends object>(host: H, name?: ForeignName<H>, options?: O): H;
  /** On a host whose type does not tell its tensors: a base class, or a computed name. */
  <H extends object, K extends string>(host: LooseHost<H, K>, name: K, options?: O): H;
}
