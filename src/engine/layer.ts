import { isObject } from '../core/guards.ts';
import type { LayerVariable } from './layerVariable.ts';

/** What is used of a layer, a cell or a model of tfjs-layers; what it does not document, in this folder only. */
export interface Layer {
  readonly name: string;
  built: boolean;
  initialWeights: unknown[] | null;
  /** The weights of the layer and of all below it that are to be trained. */
  readonly trainableWeights: readonly LayerVariable[];
  build(...args: unknown[]): void;
  call(inputs: unknown, kwargs?: { readonly training?: unknown } | null): unknown;
  setWeights(weights: unknown[]): void;
  getClassName(): string;
}

/** What tfjs-layers does not document of a layer. */
interface LayerInternals {
  readonly _trainableWeights: LayerVariable[];
  readonly _nonTrainableWeights: LayerVariable[];
  /** How many models hold the layer; 0 once it is disposed. */
  readonly _refCount?: number | null;
}

const internals = (layer: Layer): LayerInternals => layer as unknown as LayerInternals;

/** True for a layer, a cell or a model of tfjs-layers, of whatever copy of it. */
export function isLayer(value: unknown): value is Layer {
  if (!isObject(value) || !('getClassName' in value) || typeof value.getClassName !== 'function')
    return false;
  const { _trainableWeights, _nonTrainableWeights } = value as Partial<LayerInternals>;
  return Array.isArray(_trainableWeights) && Array.isArray(_nonTrainableWeights);
}

/**
 * The lists, which may be changed, of the weights that a layer has made itself: those to be trained, and the others.
 */
export const weightListsOf = (layer: Layer): [trainable: LayerVariable[], others: LayerVariable[]] => [
  internals(layer)._trainableWeights,
  internals(layer)._nonTrainableWeights,
];

/** True for a weight that the layer has made itself, and no other. */
export const isOwnWeight = (layer: Layer, weight: LayerVariable): boolean =>
  weightListsOf(layer).some((list) => list.includes(weight));

/** True for a layer that has been disposed. */
export const isDisposedLayer = (layer: Layer): boolean => internals(layer)._refCount === 0;
