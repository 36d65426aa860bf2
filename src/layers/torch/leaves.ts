import { joinPath } from '../../core/paths.ts';
import type { Layer } from '../../engine/layer.ts';
import { childrenOf } from '../host/layer.ts';
import { isContainer } from './graph.ts';

/** A layer of a model that is not a model itself. */
interface Leaf {
  readonly path: string;
  readonly layer: Layer;
  /** True if the user named the layer and the models around it. */
  readonly isNamed: boolean;
}

/** The layers of a model and of the models in it. */
export interface Leaves {
  /** The layers, each once, with the first of their paths. */
  readonly leaves: readonly Leaf[];
  /** The first path of a layer or model, by its other paths. */
  readonly otherPaths: ReadonlyMap<string, string>;
}

/** Returns the layers of a model and of its inner models. */
export function leavesOf(model: Layer): Leaves {
  const leaves: Leaf[] = [];
  const otherPaths = new Map<string, string>();
  const first = new Map<Layer, string>();
  const walk = (layer: Layer, path: string, isNamed: boolean): void => {
    const known = first.get(layer);
    if (known !== undefined) {
      otherPaths.set(path, known);
      return;
    }
    first.set(layer, path);
    if (!isContainer(layer)) {
      leaves.push({ path, layer, isNamed });
      return;
    }
    const children = childrenOf(layer);
    const generated = generatedNames(children.map(([, child]) => child));
    for (const [name, child] of children) {
      walk(child, joinPath(path, name), isNamed && !generated.has(child));
    }
  };
  walk(model, '', true);
  return { leaves, otherPaths };
}

/**
 * Returns the layers with generated names, as tfjs and Keras number them: `dense_Dense3`, `conv2d_4`. The next program
 * may give the same name to another layer. Keras numbers layers from the second one on, so a bare `dense` counts as
 * generated only beside a `dense_1`.
 */
function generatedNames(layers: readonly Layer[]): Set<Layer> {
  const numbered = layers.filter((layer) => isNumber(layer));
  const types = new Set(numbered.map((layer) => layer.getClassName()));
  const bare = layers.filter(
    (layer) => types.has(layer.getClassName()) && squeezed(layer.name) === squeezed(layer.getClassName()),
  );
  return new Set([...numbered, ...bare]);
}

const squeezed = (name: string): string => name.toLowerCase().replaceAll('_', '');

function isNumber(layer: Layer): boolean {
  const type = squeezed(layer.getClassName());
  const types = ['model', 'functional'].includes(type) ? ['model', 'functional'] : [type];
  const name = squeezed(layer.name);
  return types.some((word) => {
    const rest = name.startsWith(word) ? name.slice(word.length) : null;
    return rest !== null && /^\d+$/.test(rest.startsWith(word) ? rest.slice(word.length) : rest);
  });
}
