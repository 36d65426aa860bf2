import { isObject } from '../core/guards.ts';
import type { LayerVariable } from './layerVariable.ts';

/**
 * The part of a layer, cell or model of tfjs-layers that this package uses. Only this folder uses the undocumented
 * part.
 */
export interface Layer {
  readonly name: string;
  built: boolean;
  initialWeights: unknown[] | null;
  /** The trainable weights of the layer and of all layers below it. */
  readonly trainableWeights: readonly LayerVariable[];
  build(...args: unknown[]): void;
  call(inputs: unknown, kwargs?: { readonly training?: unknown } | null): unknown;
  setWeights(weights: unknown[]): void;
  dispose(): unknown;
  getClassName(): string;
}

/** The undocumented fields of a layer. */
interface LayerInternals {
  readonly _trainableWeights: LayerVariable[];
  readonly _nonTrainableWeights: LayerVariable[];
  /** The number of models that hold the layer; 0 after disposal. */
  readonly _refCount?: number | null;
}

const internals = (layer: Layer): LayerInternals => layer as unknown as LayerInternals;

/** True for a layer, cell or model of any copy of tfjs-layers. */
export function isLayer(value: unknown): value is Layer {
  if (!isObject(value) || !('getClassName' in value) || typeof value.getClassName !== 'function')
    return false;
  const { _trainableWeights, _nonTrainableWeights } = value as Partial<LayerInternals>;
  return Array.isArray(_trainableWeights) && Array.isArray(_nonTrainableWeights);
}

/** Returns the mutable lists of the weights that a layer has made itself: the trainable ones and the others. */
export const weightListsOf = (layer: Layer): [trainable: LayerVariable[], others: LayerVariable[]] => [
  internals(layer)._trainableWeights,
  internals(layer)._nonTrainableWeights,
];

/** True for a weight that the layer has made itself. */
export const isOwnWeight = (layer: Layer, weight: LayerVariable): boolean =>
  weightListsOf(layer).some((list) => list.includes(weight));

/** True for a disposed layer. */
export const isDisposedLayer = (layer: Layer): boolean => internals(layer)._refCount === 0;
