import { isVariable } from '../../engine/variable.ts';
import { isModule } from '../../nn/module/fields.ts';
import type { Module } from '../../nn/module/module.ts';

/** Classes whose objects get no further fields that `forward` would read. */
const withFixedFields = new WeakSet<object>();

/**
 * Declares that `forward` of this very class reads no field but those that the constructor makes: the objects of a
 * class that extends it may. Then a read does not have to look for new fields.
 */
export function fixFields(type: abstract new (...args: never[]) => Module): void {
  withFixedFields.add(type);
}

type Owner = Readonly<Record<string, unknown>>;

/** A module whose fields are walked: their names and values, in the order of the walk. */
interface Walked {
  readonly owner: Owner;
  readonly names: readonly string[];
  readonly values: unknown[];
}

/** A module whose fields are counted, and how many it had. */
interface Counted {
  readonly owner: object;
  readonly count: number;
}

/**
 * The fields of modules in which a tensor or a module stands or may come to stand, and what they held.
 *
 * Note [Fields]: nothing tells that an object got a field, so every read looks. A walk over an object without numbers
 * as fields is the fastest look at all of them, and makes no array. Elements of a list are looked at by their index.
 */
export interface FieldSet {
  readonly walked: readonly Walked[];
  /** Single fields: `owners[i][names[i]]` held `values[i]`. */
  readonly owners: readonly Owner[];
  readonly names: readonly PropertyKey[];
  readonly values: unknown[];
  /** The modules that are neither walked nor lists; those of their fields that can be read are single fields. */
  readonly counted: readonly Counted[];
}

/**
 * Notes what the fields of modules hold.
 *
 * @param list - a module whose own fields only registrations replace, which raise its version
 * @returns null if there is nothing that could change
 */
export function fieldSet(modules: readonly Module[], list: Module): FieldSet | null {
  const walked: Walked[] = [];
  const counted: Counted[] = [];
  const fields: (readonly [owner: Owner, name: PropertyKey])[] = [];
  for (const module of modules) {
    if (module === list) continue;
    const owner = module as unknown as Owner;
    if (withFixedFields.has(module.constructor)) {
      for (const name of dataFields(owner)) if (isPart(owner[name])) fields.push([owner, name]);
    } else if (isWalkable(owner)) {
      walked.push({ owner, names: Object.keys(owner), values: Object.values(owner) });
    } else {
      const free = isList(module) ? freeIndices(owner) : null;
      for (const name of dataFields(owner)) fields.push([owner, indexOr(name)]);
      for (const index of free ?? []) fields.push([owner, index]);
      if (free === null) counted.push({ owner, count: Object.keys(owner).length });
    }
  }
  if (walked.length + fields.length + counted.length === 0) return null;
  return {
    walked,
    owners: fields.map(([owner]) => owner),
    names: fields.map(([, name]) => name),
    values: fields.map(([owner, name]) => owner[name as string]),
    counted,
  };
}

/**
 * True while every field holds what it held, as far as tensors and modules go. Allocates nothing, but for the counted.
 */
export function holdsSame({ walked, owners, names, values, counted }: FieldSet): boolean {
  for (let i = 0; i < walked.length; i++) {
    if (!walksSame(walked[i]!)) return false;
  }
  for (let i = 0; i < owners.length; i++) {
    const now = owners[i]![names[i] as string];
    if (now !== values[i] && !mayReplace(values, i, now)) return false;
  }
  for (let i = 0; i < counted.length; i++) {
    if (Object.keys(counted[i]!.owner).length !== counted[i]!.count) return false;
  }
  return true;
}

function walksSame({ owner, names, values }: Walked): boolean {
  let at = 0;
  for (const name in owner) {
    if (name !== names[at]) return false;
    const now = owner[name];
    if (now !== values[at] && !mayReplace(values, at, now)) return false;
    at++;
  }
  return at === names.length;
}

/** A number, a string or an options object may give place to another, which is noted: `invalidate` is for those. */
function mayReplace(values: unknown[], at: number, now: unknown): boolean {
  if (isPart(now) || isPart(values[at])) return false;
  values[at] = now;
  return true;
}

/** True for what a forward may compute with, or find missing. */
const isPart = (value: unknown): boolean =>
  value === null || value === undefined || isVariable(value) || isModule(value);

/** The own fields that hold a value, but for the mode, which has a place of its own in the key. */
const dataFields = (owner: Owner): string[] =>
  Object.keys(owner).filter(
    (name) => name !== 'training' && 'value' in Object.getOwnPropertyDescriptor(owner, name)!,
  );

/** True if a walk finds the own fields alone, runs no getter, and is fast: numbers as fields make it slow. */
function isWalkable(owner: Owner): boolean {
  for (const name in owner) {
    if (isIndex(name) || !('value' in (Object.getOwnPropertyDescriptor(owner, name) ?? {}))) return false;
  }
  return true;
}

/** True for modules of the very classes of lists, whose other fields nothing reads. */
const isList = ({ constructor }: Module): boolean => Object.hasOwn(constructor, 'hasIndices');

/** The indices at which a list has nothing, up to the next one at its end; null if those are most. */
function freeIndices(owner: Owner): number[] | null {
  const taken = Object.keys(owner).filter((name) => isIndex(name));
  const end = Number(taken.at(-1) ?? -1) + 1;
  if (end > 2 * taken.length) return null;
  return Array.from({ length: end + 1 }, (_, index) => index).filter((index) => !(index in owner));
}

const isIndex = (name: string): boolean => /^\d+$/.test(name);

/** An element is found faster by its number than by its name. */
const indexOr = (name: string): PropertyKey => (isIndex(name) ? Number(name) : name);
