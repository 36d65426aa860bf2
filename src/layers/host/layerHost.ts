import type { Tensor } from '@tensorflow/tfjs-core';
import { type ParametrizeError, refusal } from '../../core/errors.ts';
import { patchMethod } from '../../core/patchMethod.ts';
import { didYouMean, typeName } from '../../core/text.ts';
import { keepFrozen } from '../../engine/keepFrozen.ts';
import { isDisposedLayer, isLayer, isOwnWeight, type Layer, weightListsOf } from '../../engine/layer.ts';
import type { LayerVariable } from '../../engine/layerVariable.ts';
import { isAlive } from '../../engine/variable.ts';
import type { HostKind } from '../../parametrize/host/hostKind.ts';
import { immutable } from '../../parametrize/host/tensorAccessor.ts';
import { childrenOf, ownWeights } from './layer.ts';
import { attachmentOf, LayerAttachment } from './layerAttachment.ts';
import { featureAxes, locate, mainWeight, outputAxes } from './layerType.ts';
import { postpone } from './postponed.ts';
import { preActivation } from './preActivation.ts';

/** The kind of host of the layers, cells and models of tfjs-layers. */
export const layerHost: HostKind = {
  accepts: isLayer,
  training: false,
  mainTensor: (layer) => mainWeight(layer as Layer),
  outputAxes: (layer, name, rank) => outputAxes(layer as Layer, name, rank),
  featureAxes: (layer, name, rank) => featureAxes(layer as Layer, name, rank),
  locate: (layer, path) => locate(layer as Layer, path),
  children: (layer) => childrenOf(layer as Layer),
  parameters: (layer) => [...new Set((layer as Layer).trainableWeights.map(({ val }) => val))],
  preActivation: (layer) => preActivation(layer as Layer),
  run: (model, inputs) =>
    (model as unknown as { apply(inputs: unknown): unknown }).apply(inputs.length === 1 ? inputs[0] : inputs),
  isBuffer: (layer, name) => {
    const weight = ownWeights(layer as Layer).get(name);
    return weight !== undefined && weightListsOf(layer as Layer)[1].includes(weight);
  },
  trained: (layer, variable, trainable) => {
    const weight = weightListsOf(layer as Layer)[0].find(({ val }) => val === variable);
    if (weight !== undefined) keepFrozen(weight, !trainable);
  },
  postpone: (caller, layer, name, register) => postpone(caller, layer as Layer, name, register),
  check,
  plain: (layer, name) => ownWeights(layer as Layer).get(name)?.val,
  show: (layer, name, tensor, refuse) => showInWeight(ownWeights(layer as Layer).get(name)!, tensor, refuse),
  tensors: (layer) =>
    [...ownWeights(layer as Layer)].map(
      ([name, weight]) => [name, attachmentOf(weight) === undefined ? weight.val : null] as const,
    ),
  add(caller, layer, name) {
    check(caller, layer);
    throw unknownWeight(caller, layer as Layer, name);
  },
  find(caller, host, name) {
    check(caller, host);
    const layer = host as Layer;
    const weight = ownWeights(layer).get(name);
    if (weight === undefined) throw unknownWeight(caller, layer, name);
    if (!isOwnWeight(layer, weight)) {
      throw refusal(
        'TIED',
        caller,
        `${typeName(layer)}.${name} is a weight that another layer has made with addWeight`,
        'Register on that one: both will read the same value.',
      );
    }
    const { val } = weight;
    if (!isAlive(val)) throw disposed(caller, layer);
    if (!Object.isExtensible(weight) || !Object.isExtensible(layer)) throw immutable(caller, layer, name);
    return { variable: val, attachment: new LayerAttachment(layer, weight) };
  },
};

/** Shows a tensor in a weight. Returns a function that undoes this. */
function showInWeight(weight: LayerVariable, tensor: Tensor, refuse: () => never): () => void {
  const before = Object.getOwnPropertyDescriptor(weight, 'val')!;
  Object.defineProperty(weight, 'val', { ...before, value: tensor });
  const restore = patchMethod(weight, 'write', () => refuse);
  return () => {
    restore();
    Object.defineProperty(weight, 'val', before);
  };
}

function check(caller: string, layer: object): void {
  if (isDisposedLayer(layer as Layer)) throw disposed(caller, layer as Layer);
}

const disposed = (caller: string, layer: Layer): ParametrizeError =>
  refusal('DISPOSED', caller, `${typeName(layer)} '${layer.name}' has been disposed`, 'Make a new one.');

function unknownWeight(caller: string, layer: Layer, name: string): ParametrizeError {
  const known = [...ownWeights(layer).keys()];
  const below = childrenOf(layer).map(([child]) => child);
  const places = [
    `It has: ${known.join(', ') || 'none'}`,
    below.length > 0 ? `layers below it: ${below.join(', ')}` : '',
    layer.built ? '' : 'it is not built yet',
  ];
  return refusal(
    'UNKNOWN_TENSOR',
    caller,
    `${typeName(layer)} '${layer.name}' has no weight '${name}'`,
    `${didYouMean(name, known)} ${places.filter((place) => place !== '').join('; ')}.`,
  );
}
