import { isOwnWeight, type Layer } from '../../engine/layer.ts';
import { isLayerVariable } from '../../engine/layerVariable.ts';
import { tieOf } from '../../nn/module/normalizedTensor.ts';
import { type TensorKey, TiedKeys } from '../../nn/stateDict/tiedKeys.ts';
import { registrationOf } from '../../parametrize/chain/registry.ts';
import type { TensorRecipe } from '../../stateDict/recipe.ts';
import type { StateTensor } from '../../stateDict/stateTensor.ts';
import type { StatePart } from '../../stateDict/stateView.ts';

/** The parts of a model with each tensor once, and the other keys of tied tensors. */
export interface UntiedParts {
  readonly parts: readonly StatePart<StateTensor>[];
  readonly ties: TiedKeys;
  /** The ties that `tie` has made, as data. */
  readonly tied: readonly TensorRecipe[];
}

/**
 * Removes tensors that another part has in the same layout. A layer may read a weight of another layer.
 *
 * @param otherPaths - the first path of a layer, by its other paths
 */
export function withoutTied(
  parts: readonly StatePart<StateTensor>[],
  otherPaths: ReadonlyMap<string, string>,
): UntiedParts {
  const paths = new Map([...otherPaths].map(([other, first]) => [withDot(other), withDot(first)]));
  const all = parts.flatMap((part) => part.tensors.map((tensor) => ({ part, tensor })));
  const sources = sourcesOf(all.map(({ tensor }) => tensor));
  const idOf = (tensor: StateTensor): string => idIn(sources, tensor);
  const firsts = new Map<string, { part: StatePart<StateTensor>; tensor: StateTensor }>();
  // A weight can be parametrized only on the layer that made it, so that layer comes first.
  const isFirst = (tensor: StateTensor): boolean => isOwner(tensor) && !sources.has(tensor);
  for (const entry of [...all.filter(({ tensor }) => isFirst(tensor)), ...all]) {
    const id = idOf(entry.tensor);
    if (!firsts.has(id)) firsts.set(id, entry);
  }
  const tensors = new Map<string, TensorKey>();
  const tied = new Set<StateTensor>();
  for (const { part, tensor } of all) {
    const first = firsts.get(idOf(tensor))!;
    if (first.tensor === tensor) continue;
    tied.add(tensor);
    for (const [i, name] of tensor.torchNames.entries()) {
      const key = { prefix: withDot(first.part.path), name: first.tensor.torchNames[i]! };
      tensors.set(withDot(part.path) + name, key);
    }
    // The names of the model mean its own layout.
    if (sources.get(tensor)?.isTransposed === true) continue;
    tensors.set(tensor.path, { prefix: withDot(first.tensor.hostPath), name: first.tensor.name });
  }
  const untied = parts
    .map((part) => ({ ...part, tensors: part.tensors.filter((tensor) => !tied.has(tensor)) }))
    .filter((part) => part.tensors.length > 0);
  return {
    parts: tied.size === 0 ? parts : untied,
    ties: new TiedKeys({ paths, tensors }),
    tied: [...sources].map(([tensor, { source, isTransposed }]) => ({
      path: tensor.hostPath,
      tensor: tensor.name,
      steps: [],
      tiedTo: { path: source.hostPath, tensor: source.name, ...(isTransposed && { transpose: true }) },
    })),
  };
}

/** The tensor that a tied tensor reads. */
interface Source {
  readonly source: StateTensor;
  readonly isTransposed: boolean;
}

/** Returns the sources of the tensors that `tie` has tied to others of these. */
function sourcesOf(tensors: readonly StateTensor[]): Map<StateTensor, Source> {
  const found = new Map<StateTensor, Source>();
  for (const tensor of tensors) {
    const tie = tieOf(registrationOf(tensor.host, tensor.name)?.list ?? null);
    const source = tie && tensors.find(({ host, name }) => host === tie.host && name === tie.name);
    if (source !== undefined) found.set(tensor, { source, isTransposed: tie!.isTransposed });
  }
  return found;
}

const withDot = (path: string): string => (path === '' ? '' : `${path}.`);

const numbers = new WeakMap<object, number>();
let count = 0;

/** Returns an id that is equal for tied tensors with the same layout and torch names. */
function idIn(sources: ReadonlyMap<StateTensor, Source>, tensor: StateTensor): string {
  const { layout, torchNames } = tensor;
  const tie = sources.get(tensor);
  const { identity } = tie?.source ?? tensor;
  if (!numbers.has(identity)) numbers.set(identity, count++);
  const isTransposed = tie?.isTransposed === true;
  // A square weight of an Embedding and a Dense has two layouts: torch has it and its transpose.
  const order = layout === null ? isTransposed : (isTransposed ? layout.transposed() : layout).id();
  return JSON.stringify([numbers.get(identity), order, torchNames.length]);
}

/** True if the tensor was made by its own layer. */
const isOwner = ({ host, name }: StateTensor): boolean => {
  const weight = (host as unknown as Record<string, unknown>)[name];
  return isLayerVariable(weight) && isOwnWeight(host as Layer, weight);
};
