import { formatShape } from '../../errors.ts';
import type { ForeignPart, ForeignState } from '../../model/foreign/foreignModel.ts';
import { StateDictError } from '../../nn/module/loadStateDict.ts';
import { CheckpointError, quoted } from '../checkpointError.ts';
import type { StoredNames } from './readState.ts';
import type { Selection } from './selectState.ts';
import {
  inOrderOfNumbers,
  isBroadcast,
  levelIn,
  type StoredModule,
  storedModules,
  withLevel,
} from './storedModules.ts';

/** Keys below one prefix, with their names in the file. */
export interface Candidate {
  readonly prefix: string;
  readonly keys: ReadonlyMap<string, string>;
}

/**
 * Matches the modules of a file to the parts of a model by their order, where no name says which is which. Shapes only check:
 * what they leave open is never guessed.
 *
 * @param candidates - the prefixes that the state dict may have
 * @returns null if none of them has the modules of the model
 * @throws {@link CheckpointError} `AMBIGUOUS` if the file, or the graph of the model, does not tell an order, or several
 * prefixes fit; `UNSUPPORTED` for a module that no layer computes
 */
export function matchParts(
  stored: StoredNames,
  state: ForeignState,
  candidates: readonly Candidate[],
): Selection | null {
  const parts = state.parts.filter(isMatchable);
  if (parts.length < state.parts.length) return null;
  const fitting = new Map<string, { candidate: Candidate; modules: StoredModule[] }>();
  for (const candidate of candidates) {
    const modules = storedModules(candidate.keys, (name) => stored.shapeOf(name));
    if (modules.length !== parts.length) continue;
    const ordered = stored.isInOrder ? modules : inOrderOfNumbers(modules);
    if (ordered === null) {
      if (fitsSomehow(modules, parts)) throw withoutOrder(modules, parts);
      continue;
    }
    const refused = ordered.findIndex((module, i) => refuses(parts[i]!, module));
    if (refused >= 0) throw refusal(parts[refused]!, ordered[refused]!);
    const id = JSON.stringify([...candidate.keys.values()]);
    if (ordered.every((module, i) => misfit(parts[i]!, module) === null) && !fitting.has(id)) {
      fitting.set(id, { candidate, modules: ordered });
    }
  }
  const [found, other] = fitting.values();
  if (found === undefined) return null;
  if (other !== undefined) {
    const prefixes = [...fitting.values()].map(({ candidate }) => quoted(candidate.prefix));
    throw new CheckpointError(
      'AMBIGUOUS',
      `the file has several state dicts that fit: ${prefixes.slice(0, 5).join(', ')}. Pass { prefix } to say which.`,
    );
  }
  checkOrder(state, parts, found.modules);
  const { prefix, keys } = found.candidate;
  const matched = found.modules.flatMap((module, i) =>
    [...module.keys].map(([key, name]) => [keyFor(parts[i]!, module, key), name] as const),
  );
  const taken = new Set(keys.values());
  return { prefix, keys: new Map(matched), skipped: stored.names.filter((name) => !taken.has(name)) };
}

/** Whether torch has modules like it, or such that it has to refuse. */
const isMatchable = ({ tensors, refused }: ForeignPart): boolean =>
  refused !== undefined || tensors.some(({ torchNames }) => torchNames.length > 0);

const refuses = ({ refused }: ForeignPart, { shapes }: StoredModule): boolean =>
  refused !== undefined && [...shapes.keys()].some((name) => refused.names.test(withLevel(name, 0)));

/** The error for a module that a layer looks like and does not compute. */
export const refusal = (
  { path, refused }: ForeignPart,
  { path: from }: Pick<StoredModule, 'path'>,
): CheckpointError =>
  new CheckpointError('UNSUPPORTED', `${quoted(from)} does not fit ${quoted(path)}: ${refused!.why}.`);

/** The shapes of a part in torch, by its names without the level. */
const shapesOf = ({ tensors }: ForeignPart): Map<string, readonly number[]> =>
  new Map(
    tensors.flatMap(({ torchNames, layout }) =>
      torchNames.map((name) => [withLevel(name, ''), layout!.torchShape] as const),
    ),
  );

/** Why a module is none for a part; null if it may be. */
function misfit(part: ForeignPart, { shapes }: StoredModule): string | null {
  const wanted = shapesOf(part);
  const common = [...wanted].filter(([name]) => shapes.has(name));
  if (common.length === 0) return `it has ${[...shapes.keys()].slice(0, 6).map(quoted).join(', ')}`;
  const broadcast = new Set(
    part.tensors.flatMap(({ isBroadcast, torchNames }) => (isBroadcast ? torchNames : [])),
  );
  const wrong = common.find(([name, shape]) => {
    const stored = shapes.get(name)!;
    return String(stored) !== String(shape) && !(broadcast.has(name) && isBroadcast(stored, shape));
  });
  return wrong === undefined
    ? null
    : `its ${wrong[0]} has shape ${formatShape(shapes.get(wrong[0])!)}, not ${formatShape(wrong[1])}`;
}

const fitsSomehow = (modules: readonly StoredModule[], parts: readonly ForeignPart[]): boolean =>
  parts.every((part) => modules.some((module) => misfit(part, module) === null || refuses(part, module)));

function withoutOrder(modules: readonly StoredModule[], parts: readonly ForeignPart[]): CheckpointError {
  const pairs = parts.map((part) => {
    const fitting = modules.filter((module) => misfit(part, module) === null).map(({ path }) => path);
    return [fitting.join("' or '"), part.path] as const;
  });
  return new CheckpointError(
    'AMBIGUOUS',
    `a safetensors file has its tensors by name, so that the order of its modules is not known, and their names are not those of the layers. Say which is which; by their shapes they may be { rename: ${tableOf(pairs)} }.`,
  );
}

const tableOf = (pairs: readonly (readonly [from: string, to: string])[]): string =>
  `{ ${pairs.map(([from, to]) => `'${from}': '${to}'`).join(', ')} }`;

/** Layers that could take each other's weights must come one after the other in the model. */
function checkOrder(
  state: ForeignState,
  parts: readonly ForeignPart[],
  modules: readonly StoredModule[],
): void {
  for (const [i, a] of parts.entries()) {
    for (const [j, b] of parts.entries()) {
      if (j <= i || misfit(a, modules[j]!) !== null || misfit(b, modules[i]!) !== null) continue;
      if (state.areOrdered(a, b)) continue;
      throw new CheckpointError(
        'AMBIGUOUS',
        `${quoted(a.path)} and ${quoted(b.path)} have equal shapes, and neither comes before the other in the model, so that ${quoted(modules[i]!.path)} and ${quoted(modules[j]!.path)} of the file fit both. Pass { rename: ${tableOf(parts.map(({ path }, k) => [modules[k]!.path, path]))} } with the right names.`,
      );
    }
  }
}

/** The key that a tensor of a module has in the model. */
function keyFor(part: ForeignPart, { path, level }: StoredModule, key: string): string {
  const below = path === '' ? key : key.slice(path.length + 1);
  const [name] = part.tensors.flatMap(({ torchNames }) => torchNames);
  const own = level === null ? below : withLevel(below, levelIn(name ?? '') ?? level);
  return part.path === '' ? own : `${part.path}.${own}`;
}

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

/** How much modules look like those of a model, what tells most first. */
function likeness(
  modules: readonly StoredModule[],
  parts: readonly ForeignPart[],
  names: ReadonlySet<string>,
): number[] {
  const pairs = parts.slice(0, modules.length).filter((part, i) => misfit(part, modules[i]!) === null);
  const familiar = modules.filter(({ shapes }) => [...shapes.keys()].some((name) => names.has(name)));
  return [pairs.length, Number(modules.length === parts.length), familiar.length, -modules.length];
}

/** Of equals the later one, whose prefix is longer: what all keys begin with is no part of their names. */
const isLikelier = (one: readonly number[], other: readonly number[]): boolean => {
  const at = one.findIndex((value, i) => value !== other[i]);
  return at < 0 || one[at]! > other[at]!;
};

/** The error for a file whose modules are not those of the model. */
export function noMatch(
  stored: StoredNames,
  state: ForeignState,
  candidates: readonly Candidate[],
): StateDictError {
  const { parts } = state;
  const names = new Set(parts.flatMap((part) => [...shapesOf(part).keys()]));
  const { keys, modules } = candidates
    .map(({ keys }) => {
      const all = storedModules(keys, (name) => stored.shapeOf(name));
      const modules = stored.isInOrder ? all : (inOrderOfNumbers(all) ?? all);
      return { keys, modules, like: likeness(modules, parts, names) };
    })
    .reduce((best, other) => (isLikelier(other.like, best.like) ? other : best));
  const counts = `the file has ${counted(modules.length, 'module')}, the model ${counted(parts.length, 'layer')} with weights`;
  const strange = parts.find((part) => !isMatchable(part));
  const at = parts.findIndex((part, i) => modules[i] === undefined || misfit(part, modules[i]!) !== null);
  const [part, module] = [parts[at], modules[at]];
  const fact =
    strange !== undefined
      ? `torch has no module like '${strange.path}', whose weights it would have to call ${strange.tensors.map(({ path }) => `'${path}'`).join(', ')}`
      : part === undefined
        ? `${counts}; ${quoted(modules[parts.length]?.path ?? '')} has none`
        : module === undefined
          ? `${counts}; '${part.path}' has none`
          : `${quoted(module.path)} does not fit '${part.path}': ${misfit(part, module)}`;
  const pairs = parts.flatMap((each, i) =>
    modules[i] !== undefined && isMatchable(each) && misfit(each, modules[i]!) === null
      ? [[modules[i]!.path, each.path] as const]
      : [],
  );
  const rename =
    pairs.length === 0 ? "{ 'name in the file': 'name of the layer' }" : tableOf(pairs.slice(0, 8));
  return new StateDictError(
    `loadCheckpoint: the file does not fit ${state.type}: no layer has the name of a module in it, and by their order ${fact}. Nothing was loaded. Pass { prefix } if the state dict is only a part of the file, or say which is which: { rename: ${rename} }.`,
    parts.flatMap(({ path, tensors }) =>
      tensors.flatMap(({ torchNames }) => torchNames.map((name) => `${path}.${name}`)),
    ),
    [...keys.values()],
  );
}
