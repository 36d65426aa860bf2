import { CheckpointError, corrupt, quoted } from '../../checkpointError.ts';
import type { Budget } from '../../source/budget.ts';
import type { ParsedTensor } from '../parsedCheckpoint.ts';
import { contentsOf, PythonObject } from './pythonObject.ts';
import { RefusedTensor, TorchTensor } from './torchTensor.ts';

/** A node in the tree of containers. The name of a tensor is joined when the tensor is found. */
interface Place {
  readonly above: Place | null;
  readonly key: string;
}

type Container = readonly unknown[] | Map<unknown, unknown> | PythonObject;

const isContainer = (value: unknown): value is Container =>
  Array.isArray(value) || value instanceof Map || value instanceof PythonObject;

export const isTensor = (value: unknown): value is TorchTensor | RefusedTensor =>
  value instanceof TorchTensor || value instanceof RefusedTensor;

/**
 * Returns the tensors of an object by their paths, such as `state_dict.0.weight`: the keys of dicts, the indices of
 * lists and the attributes of objects, joined by dots.
 *
 * @throws {@link CheckpointError} `CORRUPT` if two tensors have the same path, `LIMIT` if containers hold each other
 * too often
 */
export function namedTensors(root: unknown, budget: Budget): Map<string, ParsedTensor> {
  const tensors = new Map<string, ParsedTensor>();
  const found = (tensor: TorchTensor | RefusedTensor, place: Place | null): void => {
    const name = nameOf(place);
    budget.chargeObjects(64 + name.length, () => 'the list of tensors');
    if (tensors.has(name)) throw corrupt(`two tensors have the path ${quoted(name)}`);
    tensors.set(name, tensor);
  };
  if (isTensor(root)) found(root, null);
  if (!isContainer(root)) return tensors;

  // A loop instead of a recursion, because a file may nest without a limit. A container below itself is skipped.
  const open = new Set<Container>([root]);
  const levels = [{ container: root as Container, items: itemsOf(root), place: null as Place | null }];
  for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
    const { done, value: item } = level.items.next();
    if (done) {
      open.delete(level.container);
      levels.pop();
      continue;
    }
    const [key, value] = item as [unknown, unknown];
    if (isTensor(key) || (value instanceof Set && [...value].some(isTensor))) {
      throw new CheckpointError(
        'UNSUPPORTED',
        'a tensor is a key of a dict, or in a set, where it has no name',
        'Save it as a value.',
      );
    }
    budget.chargeObjects(8, () => 'the list of tensors');
    if (isTensor(value)) {
      found(value, { above: level.place, key: keyText(key) });
    } else if (isContainer(value) && !open.has(value)) {
      budget.chargeObjects(256, () => 'the list of tensors');
      open.add(value);
      levels.push({
        container: value,
        items: itemsOf(value),
        place: { above: level.place, key: keyText(key) },
      });
    }
  }
  return tensors;
}

const itemsOf = (container: Container): Iterator<readonly [unknown, unknown]> =>
  container instanceof PythonObject ? contentsOf(container)[Symbol.iterator]() : container.entries();

/** Returns a key roughly as Python prints it. Containers are shortened. */
function keyText(key: unknown): string {
  if (typeof key === 'string') return key;
  if (key === null) return 'None';
  if (typeof key === 'boolean') return key ? 'True' : 'False';
  // Usually a member of an enum, with its class and value.
  if (key instanceof PythonObject) return `${key.name}(${(key.args ?? []).map(valueText).join(', ')})`;
  return typeof key === 'number' || typeof key === 'bigint' ? String(key) : '(…)';
}

const valueText = (value: unknown): string =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : '…';

function nameOf(place: Place | null): string {
  const keys: string[] = [];
  for (let at = place; at !== null; at = at.above) keys.push(at.key);
  return keys.reverse().join('.');
}
