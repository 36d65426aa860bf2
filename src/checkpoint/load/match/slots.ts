import { joinPath } from '../../../core/paths.ts';
import { formatShape } from '../../../core/shapes.ts';
import { levelIn, withLevel } from '../../../nn/stateDict/recurrentLevel.ts';
import { isBroadcast } from '../../../stateDict/isBroadcast.ts';
import type { StateEntry, StatePart } from '../../../stateDict/stateView.ts';
import type { StoredModule } from './storedModules.ts';

/** A place in a model for one module of a file. */
export interface Slot {
  readonly path: string;
  readonly parts: readonly StatePart[];
  /** The number of the level for a recurrent layer, because torch has several levels in one module. */
  readonly level: number | null;
  readonly tensors: readonly SlotTensor[];
}

/** A tensor of a slot, with the names and the shape of torch or of the model. */
interface SlotTensor {
  readonly names: readonly string[];
  readonly shape: readonly number[];
  readonly nativeName: string;
  readonly nativeShape: readonly number[];
  readonly isBroadcast: boolean;
}

/** Returns the slots for modules of torch: one for each part, and one for each level of a recurrent layer. */
export const slotsOf = (parts: readonly StatePart[]): Slot[] =>
  parts.map((part) => {
    const [name = ''] = part.tensors.flatMap(({ torchNames }) => torchNames);
    return {
      path: part.path,
      parts: [part],
      level: levelIn(name),
      tensors: part.tensors.map((tensor) => slotTensor(tensor, part.path, (own) => withLevel(own, ''))),
    };
  });

/** Returns the slots for layers of a saved model of tf.layers, one for each layer. */
export function layerSlotsOf(parts: readonly StatePart[]): Slot[] {
  const owners = new Map<string, StatePart[]>();
  for (const part of parts) owners.set(part.owner, [...(owners.get(part.owner) ?? []), part]);
  return [...owners].map(([path, own]) => ({
    path,
    parts: own,
    level: null,
    tensors: own.flatMap((part) =>
      part.tensors.map((tensor) =>
        slotTensor(tensor, path, (name) => below(path, joinPath(part.path, name))),
      ),
    ),
  }));
}

const slotTensor = (tensor: StateEntry, path: string, nameOf: (torchName: string) => string): SlotTensor => ({
  names: tensor.torchNames.map(nameOf),
  shape: tensor.torchShape ?? [],
  nativeName: below(path, tensor.path),
  nativeShape: tensor.shape,
  isBroadcast: tensor.isBroadcast === true,
});

const below = (path: string, full: string): string => (path === '' ? full : full.slice(path.length + 1));

/** Returns the reason why a module does not fit a slot, or null if it may fit. It may have fewer or more tensors. */
export function misfit({ tensors }: Slot, { shapes }: StoredModule): string | null {
  const found = tensors.flatMap((tensor) => comparisons(tensor, shapes));
  if (found.length === 0)
    return `it has ${[...shapes.keys()]
      .slice(0, 6)
      .map((name) => `'${name}'`)
      .join(', ')}`;
  const wrong = found.find(({ isSame }) => !isSame);
  if (wrong === undefined) return null;
  return `its ${wrong.name} has shape ${formatShape(wrong.stored)}, not ${formatShape(wrong.shape)}`;
}

/** True if a module has exactly the tensors of a slot. */
export function isExactly(slot: Slot, module: StoredModule): boolean {
  const { shapes } = module;
  if (misfit(slot, module) !== null) return false;
  const names = slot.tensors.flatMap(({ names: own, nativeName }) =>
    own.length > 0 && own.every((name) => shapes.has(name)) ? own : [nativeName],
  );
  return names.length === shapes.size && names.every((name) => shapes.has(name));
}

interface Comparison {
  readonly name: string;
  readonly stored: readonly number[];
  readonly shape: readonly number[];
  readonly isSame: boolean;
}

function comparisons(tensor: SlotTensor, shapes: StoredModule['shapes']): Comparison[] {
  const { names, shape, nativeName, nativeShape } = tensor;
  const asTorch = names.filter((name) => shapes.has(name));
  const [own, wanted] = asTorch.length > 0 ? [asTorch, shape] : [[nativeName], nativeShape];
  return own.flatMap((name) => {
    const stored = shapes.get(name);
    if (stored === undefined) return [];
    const isSame = String(stored) === String(wanted) || (tensor.isBroadcast && isBroadcast(stored, wanted));
    return [{ name, stored, shape: wanted, isSame }];
  });
}

/** Returns the key of a tensor of a module in the model. */
export function keyFor(slot: Slot, { path, level }: StoredModule, key: string): string {
  const own = path === '' ? key : key.slice(path.length + 1);
  const name = level === null ? own : withLevel(own, slot.level ?? level);
  return joinPath(slot.path, name);
}
