import { joinPath } from '../../core/paths.ts';
import { isLayer, type Layer } from '../../engine/layer.ts';
import { isLayerVariable, type LayerVariable } from '../../engine/layerVariable.ts';

/**
 * Returns the layers directly below a layer, with their names in paths: the layers of a model by their own names, other
 * layers by the fields that hold them.
 */
export function childrenOf(layer: Layer): [name: string, child: Layer][] {
  const { layers } = layer as { layers?: unknown };
  if (Array.isArray(layers)) return layers.filter(isLayer).map((child) => [child.name, child]);
  return Object.entries(layer).flatMap(([field, value]): [string, Layer][] => {
    // Skip the template that Bidirectional cloned its two layers from; it is unused afterwards.
    if (field === 'layer' && 'forwardLayer' in layer) return [];
    if (isLayer(value)) return [[field, value]];
    if (!Array.isArray(value)) return [];
    return value.flatMap((item, i): [string, Layer][] => (isLayer(item) ? [[`${field}.${i}`, item]] : []));
  });
}

/** Returns a layer and all layers below it, each once, with their paths. */
export function everyLayer(root: Layer): [path: string, layer: Layer][] {
  const found = new Map<Layer, string>();
  const walk = (layer: Layer, path: string): void => {
    if (found.has(layer)) return;
    found.set(layer, path);
    for (const [name, child] of childrenOf(layer)) walk(child, joinPath(path, name));
  };
  walk(root, '');
  return [...found].map(([layer, path]) => [path, layer]);
}

/** Returns the weights that a layer holds, by the field that they are read through. */
export function ownWeights(layer: Layer): Map<string, LayerVariable> {
  const fields = Object.entries(layer).filter((field): field is [string, LayerVariable] =>
    isLayerVariable(field[1]),
  );
  return new Map(fields);
}
