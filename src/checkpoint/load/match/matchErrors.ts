import { StateDictError } from '../../../nn/module/loadStateDict.ts';
import type { StatePart, StateView } from '../../../stateDict/stateView.ts';
import { CheckpointError, quoted } from '../../checkpointError.ts';
import { alignSlots } from './alignSlots.ts';
import type { Match, Matching } from './matchSlots.ts';
import { keyFor, misfit, type Slot } from './slots.ts';
import type { StoredModule } from './storedModules.ts';

/** The table form of the option `rename`. */
type RenameTable = Readonly<Record<string, string | null>>;

/** The error for a module that looks like a layer that computes another result. */
export const refusal = ({ path, refused }: StatePart, from: string): CheckpointError =>
  new CheckpointError(
    'UNSUPPORTED',
    `${quoted(from)} does not fit ${quoted(path)}: ${refused!.why}`,
    'Make a layer that computes the same, or leave it out, { rename: { name: null }, strict: false }.',
  );

/** The error for modules that fit several layers. */
export function ambiguous({ matches, open }: Matching): CheckpointError {
  const facts = open.slice(0, 3).map((group) => {
    const [modules, layers] = [group.map(({ module }) => module.path), group.map(({ slot }) => slot.path)];
    return `${listOf(modules)} of the file can each be ${listOf(layers, ' or ')}`;
  });
  const more = open.length > 3 ? ', and so on' : '';
  const rename = renameOf(matches);
  return new CheckpointError(
    'AMBIGUOUS',
    `${facts.join('; ')}${more}: their shapes are equal, and no names tell which is which`,
    `Pass the names of the layers; if the modules compute in the order of the layers, { rename: ${textOf(rename)} }.`,
    { rename },
  );
}

/** Returns the option that gives matched modules the names of their layers. */
function renameOf(matches: readonly Match[]): RenameTable {
  const targets = new Map<string, Set<string>>();
  for (const { slot, module } of matches) {
    targets.set(module.path, (targets.get(module.path) ?? new Set()).add(slot.path));
  }
  return Object.fromEntries(
    matches.flatMap(({ slot, module }): [string, string][] => {
      const isWhole =
        module.path !== '' && targets.get(module.path)!.size === 1 && hasOwnLevels(matches, module);
      if (isWhole) return [[module.path, slot.path]];
      return [...module.keys.keys()].map((key) => [key, keyFor(slot, module, key)]);
    }),
  );
}

/** True if the keys of a module keep their levels, so that its path is enough. */
const hasOwnLevels = (matches: readonly Match[], { path }: StoredModule): boolean =>
  matches.every(
    ({ slot, module }) => module.path !== path || module.level === null || module.level === slot.level,
  );

const listOf = (names: readonly string[], and = ' and '): string => {
  const shown = names.slice(0, 4).map((name) => quoted(name));
  if (names.length > 4) return `${shown.join(', ')}, …`;
  return [shown.slice(0, -1).join(', '), ...shown.slice(-1)].filter((text) => text !== '').join(and);
};

const textOf = (rename: RenameTable): string =>
  `{ ${Object.entries(rename)
    .map(([from, to]) => `${keyText(from)}: ${to === null ? 'null' : keyText(to)}`)
    .join(', ')} }`;

/** Returns a name as a string literal. */
const keyText = (name: string): string => `'${name.replace(/[\\']/g, '\\$&')}'`;

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

/**
 * Makes the error for modules that do not match a model.
 *
 * @param modules - the modules, in their likely order
 */
export function noMatch(
  { type }: StateView,
  slots: readonly Slot[],
  modules: readonly StoredModule[],
  keys: Iterable<string>,
): StateDictError {
  const aligned = alignSlots(slots, modules);
  const strange = slots.find((slot) => slot.tensors.every(({ names }) => names.length === 0));
  const slot = slots.find((each) => !aligned.some((match) => match.slot === each));
  const module = modules.find((each) => !aligned.some((match) => match.module === each));
  const reason = reasonFor(slot, module);
  const counts = `the file has ${counted(modules.length, 'module')}, the model ${counted(slots.length, 'layer')} with weights`;
  const fact =
    strange === undefined
      ? `${counts}${reason === '' ? '' : `; ${reason}`}`
      : `torch has no module like '${strange.path}', whose weights it would have to call ${strange.parts.flatMap(({ tensors }) => tensors.map(({ path }) => `'${path}'`)).join(', ')}`;
  const isWhole = aligned.length === slots.length;
  const left = isWhole ? modules.filter((each) => !aligned.some((match) => match.module === each)) : [];
  const rename: RenameTable = {
    ...renameOf(aligned),
    ...Object.fromEntries(left.map(({ path }) => [path, null])),
  };
  const shown = aligned.length === 0 ? "{ 'name in the file': 'name of the layer' }" : textOf(rename);
  return new StateDictError(
    {
      caller: 'loadCheckpoint',
      fact: `the file does not fit ${type}: its modules do not have the names of the layers, and ${fact}. Nothing was loaded`,
      remedy: `Pass { prefix } if the state dict is only a part of the file, or say which is which${isWhole ? '' : ', of all layers'}; if the modules compute in the order of the layers, { rename: ${shown} }.`,
    },
    slots.flatMap(({ parts }) =>
      parts.flatMap(({ path, tensors }) =>
        tensors.flatMap(({ torchNames }) => torchNames.map((name) => `${path}.${name}`)),
      ),
    ),
    [...keys],
  );
}

function reasonFor(slot: Slot | undefined, module: StoredModule | undefined): string {
  if (slot !== undefined && module !== undefined) {
    const why = misfit(slot, module);
    if (why !== null) return `${quoted(module.path)} does not fit '${slot.path}': ${why}`;
  }
  if (slot !== undefined) return `'${slot.path}' has none`;
  return module === undefined ? '' : `${quoted(module.path)} has none`;
}
