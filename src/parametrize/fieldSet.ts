import { isVariable } from '../engine/variable.ts';
import { isModule } from '../nn/module/fields.ts';
import type { Module } from '../nn/module/module.ts';

/** Classes whose objects get no further fields that `forward` would read. */
const withFixedFields = new WeakSet<object>();

/**
 * Declares that `forward` of this very class reads no field but those that the constructor makes: the objects of a class
 * that extends it may. Then a read does not have to look for new fields.
 */
export function fixFields(type: abstract new (...args: never[]) => Module): void {
  withFixedFields.add(type);
}

/** The fields of modules in which a tensor or a module stands or may come to stand, and what they held. */
export interface FieldSet {
  readonly owners: readonly Record<string, unknown>[];
  readonly names: readonly string[];
  readonly values: unknown[];
  /** The modules that may get further fields, and how many each had. */
  readonly open: readonly object[];
  readonly counts: readonly number[];
  /** The same for modules with numbers as fields. */
  readonly numbered: readonly object[];
  readonly lengths: readonly number[];
}

/**
 * Notes what the fields of modules hold.
 *
 * @param list - a module whose own fields only registrations replace, which raise its version
 * @returns null if there is nothing that could change
 */
export function fieldSet(modules: readonly Module[], list: Module): FieldSet | null {
  const isNumbered = (module: Module): boolean => '0' in module;
  const open = modules.filter((module) => isOpen(module) && !isNumbered(module));
  const numbered = modules.filter((module) => isOpen(module) && isNumbered(module));
  const fields = modules.flatMap((module) => (module === list ? [] : fieldsHeld(module)));
  if (open.length + numbered.length + fields.length === 0) return null;
  return {
    owners: fields.map(([owner]) => owner),
    names: fields.map(([, name]) => name),
    values: fields.map(([owner, name]) => owner[name]),
    open,
    counts: open.map(countFields),
    numbered,
    lengths: numbered.map((module) => Object.keys(module).length),
  };
}

/** True while every field holds what it held, as far as tensors and modules go. */
export function holdsSame({ owners, names, values, open, counts, numbered, lengths }: FieldSet): boolean {
  for (let i = 0; i < open.length; i++) {
    if (countFields(open[i]!) !== counts[i]) return false;
  }
  for (let i = 0; i < numbered.length; i++) {
    if (Object.keys(numbered[i]!).length !== lengths[i]) return false;
  }
  for (let i = 0; i < owners.length; i++) {
    const now = owners[i]![names[i]!];
    if (now === values[i]) continue;
    // A number, a string or an options object that gave place to another: `invalidate` is for those.
    if (isPart(now) || isPart(values[i])) return false;
    values[i] = now;
  }
  return true;
}

const isOpen = (module: Module): boolean => !withFixedFields.has(module.constructor);

function fieldsHeld(module: Module): [owner: Record<string, unknown>, name: string][] {
  const owner = module as unknown as Record<string, unknown>;
  const names = Object.keys(owner).filter(
    (name) => name !== 'training' && 'value' in Object.getOwnPropertyDescriptor(owner, name)!,
  );
  return names.filter((name) => isOpen(module) || isPart(owner[name])).map((name) => [owner, name]);
}

/** True for what a forward may compute with, or find missing. */
const isPart = (value: unknown): boolean =>
  value === null || value === undefined || isVariable(value) || isModule(value);

// Makes no array, and is the fastest way to see a field come or go; but not where fields are numbers.
function countFields(owner: object): number {
  let count = 0;
  for (const _ in owner) count++;
  return count;
}
