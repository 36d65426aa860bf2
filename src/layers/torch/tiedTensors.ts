import { isOwnWeight, type Layer } from '../../engine/layer.ts';
import { isLayerVariable } from '../../engine/layerVariable.ts';
import { type TensorKey, TiedKeys } from '../../nn/stateDict/tiedKeys.ts';
import type { StatePart, StateTensor } from '../../stateDict/modelState.ts';

/** The parts of a model with each tensor once, and the other keys of those that are tied. */
export interface UntiedParts {
  readonly parts: readonly StatePart[];
  readonly ties: TiedKeys;
}

/**
 * Takes the tensors out of parts that are those of others in the same layout: a layer may read a weight that another
 * one has made.
 *
 * @param otherPaths - other paths of layers, with the first ones
 */
export function withoutTied(
  parts: readonly StatePart[],
  otherPaths: ReadonlyMap<string, string>,
): UntiedParts {
  const paths = new Map([...otherPaths].map(([other, first]) => [withDot(other), withDot(first)]));
  const all = parts.flatMap((part) => part.tensors.map((tensor) => ({ part, tensor })));
  const firsts = new Map<string, { part: StatePart; tensor: StateTensor }>();
  // The layer that has made a weight is the one that it can be parametrized on.
  for (const entry of [...all.filter(({ tensor }) => isOwner(tensor)), ...all]) {
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
    tensors.set(tensor.path, { prefix: withDot(first.tensor.hostPath), name: first.tensor.name });
  }
  const untied = parts
    .map((part) => ({ ...part, tensors: part.tensors.filter((tensor) => !tied.has(tensor)) }))
    .filter((part) => part.tensors.length > 0);
  return { parts: tied.size === 0 ? parts : untied, ties: new TiedKeys({ paths, tensors }) };
}

const withDot = (path: string): string => (path === '' ? '' : `${path}.`);

const numbers = new WeakMap<object, number>();
let count = 0;

/** The same for tensors that are one, as torch has them too. */
function idOf({ identity, layout, torchNames }: StateTensor): string {
  if (!numbers.has(identity)) numbers.set(identity, count++);
  return JSON.stringify([
    numbers.get(identity),
    layout === null ? null : [String(layout), layout.torchShape],
    torchNames.length,
  ]);
}

/** True if the layer of a tensor made it, rather than another layer. */
const isOwner = ({ host, name }: StateTensor): boolean => {
  const weight = (host as unknown as Record<string, unknown>)[name];
  return isLayerVariable(weight) && isOwnWeight(host as Layer, weight);
};
