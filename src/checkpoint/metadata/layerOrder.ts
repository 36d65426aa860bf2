import { withLevel } from '../../nn/stateDict/recurrentLevel.ts';
import type { StatePart, StateView } from '../../stateDict/stateView.ts';

/** A layer of a saved model, in the order in which the model computes. */
export interface LayerInOrder {
  readonly path: string;
  /** True if the layer comes before or after each layer that could have its weights. */
  readonly isOrdered: boolean;
}

/** The key of the order of the layers in the metadata of a file. */
const layerOrderKey = 'tfjs-parametrize.layers';

/** The order of the layers as texts of the metadata; none for a model whose parts are found by names alone. */
export const layerOrderTexts = (view: StateView): Record<string, string> =>
  view.matching === 'names' ? {} : { [layerOrderKey]: layerOrderText(view) };

/**
 * Returns the layers of a model in the order of computing, as a text for the metadata. Generated names of layers change
 * in the next program, but the order does not.
 */
function layerOrderText({ parts, areOrdered }: StateView): string {
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

/** Returns the shapes of a part in torch, by the names without the level. */
const shapesOf = ({ tensors }: StatePart): Map<string, readonly number[]> =>
  new Map(
    tensors.flatMap(({ torchNames, torchShape }) =>
      torchNames.map((name) => [withLevel(name, ''), torchShape!] as const),
    ),
  );

/** Returns the layers in the metadata of a file, or none. */
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
