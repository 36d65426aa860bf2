import { settle } from '../../core/settle.ts';
import type { Layer } from '../../engine/layer.ts';
import { everyLayer, ownWeights } from './layer.ts';
import { attachmentOf } from './layerAttachment.ts';

/**
 * Runs a function while the lists of a model show computed weights in place of originals and state. If the function
 * returns a promise, they do until the promise settles.
 */
export function showingPlainWeights<T>(model: Layer, fn: () => T): T {
  const weights = everyLayer(model).flatMap(([, layer]) => [...ownWeights(layer).values()]);
  const unfolds = [...new Set(weights)].map((weight) => attachmentOf(weight)?.fold());
  return settle(fn, () => {
    for (const unfold of unfolds) unfold?.();
  });
}
