import { isVariable } from '../../engine/variable.ts';
import { isModule } from '../../nn/module/fields.ts';
import type { Module } from '../../nn/module/module.ts';

/** The classes whose `forward` reads no fields that are added later. */
const withFixedFields = new WeakSet<object>();

/**
 * Declares that `forward` of this class reads only fields that the constructor makes, so a read need not search for new
 * fields. The declaration does not apply to subclasses.
 */
export function fixFields(type: abstract new (...args: never[]) => Module): void {
  withFixedFields.add(type);
}

type Owner = Readonly<Record<string, unknown>>;

/** A module whose fields are walked, with their names and values in the order of the walk. */
interface Walked {
  readonly owner: Owner;
  readonly names: readonly string[];
  readonly values: unknown[];
}

/** A module whose fields are counted, with their number. */
interface Counted {
  readonly owner: object;
  readonly count: number;
}

/**
 * The fields of modules that hold a tensor or a module, or may hold one later, with their values.
 *
 * Note [Fields]: JavaScript reports no new field of an object, so every read compares the fields. The fastest way
 * without an array is a walk over an object without numeric fields. Elements of a list are compared by index.
 */
export interface FieldSet {
  readonly walked: readonly Walked[];
  /** The single fields: `owners[i][names[i]]` held `values[i]`. */
  readonly owners: readonly Owner[];
  readonly names: readonly PropertyKey[];
  readonly values: unknown[];
  /** The modules that are neither walked nor lists. Their readable fields are single fields. */
  readonly counted: readonly Counted[];
}

/**
 * Notes the values of the fields of modules.
 *
 * @param list - a module whose own fields are only replaced by changes of the chain, which raise its version
 * @returns null if no field can change
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

/** True while every field holds the same tensor or module. Only counted modules allocate. */
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

/** True for a new number, string or options object, which is noted. Such changes need `invalidate`. */
function mayReplace(values: unknown[], at: number, now: unknown): boolean {
  if (isPart(now) || isPart(values[at])) return false;
  values[at] = now;
  return true;
}

/** True for a value that a forward may compute with, or may find missing. */
const isPart = (value: unknown): boolean =>
  value === null || value === undefined || isVariable(value) || isModule(value);

/** Returns the own data fields without the mode, which the key has separately. */
const dataFields = (owner: Owner): string[] =>
  Object.keys(owner).filter(
    (name) => name !== 'training' && 'value' in Object.getOwnPropertyDescriptor(owner, name)!,
  );

/** True if a walk finds only the own fields, runs no getter, and is fast. Numeric fields make it slow. */
function isWalkable(owner: Owner): boolean {
  for (const name in owner) {
    if (isIndex(name) || !('value' in (Object.getOwnPropertyDescriptor(owner, name) ?? {}))) return false;
  }
  return true;
}

/** True for modules of the list classes themselves, whose other fields are never read. */
const isList = ({ constructor }: Module): boolean => Object.hasOwn(constructor, 'hasIndices');

/** Returns the empty indices of a list up to its end; null if most indices are empty. */
function freeIndices(owner: Owner): number[] | null {
  const taken = Object.keys(owner).filter((name) => isIndex(name));
  const end = Number(taken.at(-1) ?? -1) + 1;
  if (end > 2 * taken.length) return null;
  return Array.from({ length: end + 1 }, (_, index) => index).filter((index) => !(index in owner));
}

const isIndex = (name: string): boolean => /^\d+$/.test(name);

/** Returns a numeric name as a number, which finds an element faster. */
const indexOr = (name: string): PropertyKey => (isIndex(name) ? Number(name) : name);
