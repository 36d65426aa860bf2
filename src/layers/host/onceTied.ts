import type { LayerVariable } from '../../engine/layerVariable.ts';

const untied = new WeakSet<LayerVariable>();
let isAny = false;

/** Notes that a weight was tied and has a variable of its own again. */
export function noteUntied(weight: LayerVariable): void {
  untied.add(weight);
  isAny = true;
}

/**
 * Returns those weights that were tied once. A model that was compiled or synced while they were has not collected
 * them.
 *
 * @param weights - returns weights, and is called only if there can be one
 */
export const onceTied = (weights: () => readonly LayerVariable[]): LayerVariable[] =>
  isAny ? weights().filter((weight) => untied.has(weight)) : [];
