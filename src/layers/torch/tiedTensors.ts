import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { isOwnWeight, type Layer } from '../../engine/layer.ts';
import { isLayerVariable } from '../../engine/layerVariable.ts';
import { tieOf } from '../../nn/module/normalizedTensor.ts';
import { type ConvertedTie, type TensorKey, TiedKeys } from '../../nn/stateDict/tiedKeys.ts';
import { registrationOf } from '../../parametrize/chain/registry.ts';
import type { TensorRecipe } from '../../stateDict/recipe.ts';
import { keyOf, type StateTensor } from '../../stateDict/stateTensor.ts';
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
  const firsts = new Map<string, Entry>();
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
  const reps = [...firsts.values()];
  const conversions = reps.flatMap((entry): ConvertedTie[] => {
    const root = reps.find(({ tensor }) => rootIn(sources, tensor) === rootIn(sources, entry.tensor))!;
    // A sum of two tensors has no value under one key.
    const isSum = [root, entry].some(({ tensor }) => tensor.torchNames.length > 1);
    if (root === entry || isSum) return [];
    const isTransposed = sources.get(entry.tensor)?.isTransposed === true;
    return [
      {
        tensor: tensorKey(entry),
        source: tensorKey(root),
        convert: (value) => converted(value, entry.tensor, root.tensor, isTransposed),
      },
    ];
  });
  const untied = parts
    .map((part) => ({ ...part, tensors: part.tensors.filter((tensor) => !tied.has(tensor)) }))
    .filter((part) => part.tensors.length > 0);
  return {
    parts: tied.size === 0 ? parts : untied,
    ties: new TiedKeys({ paths, tensors, converted: conversions }),
    tied: [...sources].map(([tensor, { source, isTransposed }]) => ({
      path: tensor.hostPath,
      tensor: tensor.name,
      steps: [],
      tiedTo: { path: source.hostPath, tensor: source.name, ...(isTransposed && { transpose: true }) },
    })),
  };
}

interface Entry {
  readonly part: StatePart<StateTensor>;
  readonly tensor: StateTensor;
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

/** Returns the same object for tensors that are one variable, in any layout. */
const rootIn = (sources: ReadonlyMap<StateTensor, Source>, tensor: StateTensor): object =>
  (sources.get(tensor)?.source ?? tensor).identity;

/** Returns the plain key of a tensor in a state dict. */
function tensorKey({ part, tensor }: Entry): TensorKey {
  const key = keyOf(tensor, part);
  const dot = key.lastIndexOf('.') + 1;
  return { prefix: key.slice(0, dot), name: key.slice(dot) };
}

/** Converts a value of a tied tensor in a state dict to the order of its source. */
function converted(
  value: Tensor,
  { layout, shape }: StateTensor,
  source: StateTensor,
  isTransposed: boolean,
): Tensor | undefined {
  if (!tf.util.arraysEqual(value.shape, [...(layout?.torchShape ?? shape)])) return undefined;
  return tf.tidy(() => {
    const own = layout?.fromTorch(value) ?? value;
    const moved = isTransposed ? tf.transpose(own) : own;
    return tf.clone(source.layout?.toTorch(moved) ?? moved);
  });
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
