import { refusal } from '../../core/errors.ts';
import { patchMethod } from '../../core/patchMethod.ts';
import { didYouMean, typeName } from '../../core/text.ts';
import type { Layer } from '../../engine/layer.ts';
import { undoable } from '../../parametrize/transaction.ts';
import { ownWeights } from './layer.ts';
import { knownWeights } from './layerType.ts';

const waiting = new WeakMap<Layer, (() => void)[]>();
const restoreBuild = new WeakMap<Layer, () => void>();

/**
 * Postpones a registration on a layer that is not built. Layers make their weights when they know their input.
 *
 * @returns true if the registration waits
 * @throws {@link ParametrizeError} `UNKNOWN_TENSOR` for a weight that layers of this class never have
 */
export function postpone(caller: string, layer: Layer, name: string, register: () => void): boolean {
  if (layer.built || ownWeights(layer).has(name)) return false;
  const known = knownWeights(layer);
  if (known !== null && !known.includes(name)) {
    throw refusal(
      'UNKNOWN_TENSOR',
      caller,
      `${typeName(layer)} has no weight '${name}'`,
      `${didYouMean(name, known)} It has: ${known.join(', ')}.`,
    );
  }
  undoable(() => cancel(layer, register));
  const registrations = waiting.get(layer);
  if (registrations !== undefined) registrations.push(register);
  else {
    waiting.set(layer, [register]);
    restoreBuild.set(layer, registerAfterBuild(layer));
  }
  return true;
}

/** Cancels a postponed registration. */
function cancel(layer: Layer, register: () => void): void {
  const registrations = waiting.get(layer);
  if (registrations === undefined) return;
  registrations.splice(registrations.indexOf(register), 1);
  if (registrations.length > 0) return;
  waiting.delete(layer);
  restoreBuild.get(layer)?.();
}

/** Runs the postponed registrations after `build`. Returns a function that undoes this. */
function registerAfterBuild(layer: Layer): () => void {
  const restore = patchMethod(layer, 'build', (build) => (...args) => {
    build.apply(layer, args);
    restore();
    layer.built = true;
    // tfjs would set the initial weights later, by position among the weights. The registrations change these, so the
    // initial weights are set here.
    if (layer.initialWeights) layer.setWeights(layer.initialWeights);
    layer.initialWeights = null;
    const registrations = waiting.get(layer) ?? [];
    waiting.delete(layer);
    for (const register of registrations) register();
  });
  return restore;
}
