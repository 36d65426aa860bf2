import type { ModelState } from '../../stateDict/modelState.ts';
import { shapesOf } from '../load/match/partShapes.ts';
import type { LayerInOrder } from '../load/storedNames.ts';

/** The key of the order of the layers in the metadata of a file. */
export const layerOrderKey = 'tfjs-parametrize.layers';

/**
 * The layers of a model in the order in which it computes, as a text of the metadata: generated names of layers are others in the
 * next program, the order is not.
 */
export function layerOrderText({ parts, areOrdered }: ModelState): string {
  const shapes = new Map(parts.map((part) => [part, JSON.stringify([...shapesOf(part)].sort())]));
  const layers = new Map<string, boolean>();
  for (const part of parts) {
    const isOrdered = parts.every(
      (other) => other === part || shapes.get(other) !== shapes.get(part) || areOrdered(part, other),
    );
    layers.set(part.owner, isOrdered && (layers.get(part.owner) ?? true));
  }
  return JSON.stringify([...layers]);
}

/** The layers in the metadata of a file; none if it does not have them. */
export function layerOrderIn(metadata: Readonly<Record<string, string>>): LayerInOrder[] {
  const text = metadata[layerOrderKey];
  if (text === undefined) return [];
  try {
    const layers: unknown = JSON.parse(text);
    if (!Array.isArray(layers) || !layers.every(isEntry)) return [];
    return layers.map(([path, isOrdered]) => ({ path, isOrdered }));
  } catch {
    return [];
  }
}

const isEntry = (value: unknown): value is [string, boolean] =>
  Array.isArray(value) && typeof value[0] === 'string' && typeof value[1] === 'boolean';
