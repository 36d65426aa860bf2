import { type HookKeys, knownHookKeys } from './hookKeys.ts';
import type { KeyForm, TensorKey } from './tiedKeys.ts';

/** Returns the names of the parts of a computed tensor below `parametrizations.<name>.`. */
export const partsOf = ({ suffixes }: HookKeys): string[] => Object.keys(suffixes);

/**
 * Returns the key of one part below its module, in the modern or the old key format. A part without an old name keeps
 * the modern key.
 */
export function keyIn(
  { name, hookKeys }: { readonly name: string; readonly hookKeys: HookKeys | null },
  part: string,
  isLegacy: boolean,
): string {
  const suffix = isLegacy ? hookKeys?.suffixes[part] : undefined;
  return suffix === undefined ? `parametrizations.${name}.${part}` : name + suffix;
}

/** Returns the keys of all parts. */
export const keysIn = (name: string, hookKeys: HookKeys, isLegacy: boolean): string[] =>
  partsOf(hookKeys).map((part) => keyIn({ name, hookKeys }, part, isLegacy));

/** The parts of a key: the path of the module, with its dot, the name of the tensor, and its part. */
export interface KeyParts {
  readonly prefix: string;
  readonly name: string;
  /** The text after `parametrizations.<name>.`, or an old suffix; empty for a plain key. */
  readonly part: string;
}

/** Splits a key of the modern key format. Returns null for a key of a plain tensor. */
export function modernKey(key: string): KeyParts | null {
  const match = /^(|.*?\.)parametrizations\.([^.]+)\.(.+)$/s.exec(key);
  return match === null ? null : { prefix: match[1]!, name: match[2]!, part: match[3]! };
}

/** Splits a key of the old key format. A key without one of its suffixes is plain. */
export function legacyKey(key: string): KeyParts {
  const dot = key.lastIndexOf('.') + 1;
  const [prefix, own] = [key.slice(0, dot), key.slice(dot)];
  const part = own.slice(Math.max(own.lastIndexOf('_'), 0));
  const isSuffix = knownHookKeys().some(({ suffixes }) => Object.values(suffixes).includes(part));
  return isSuffix && own !== part
    ? { prefix, name: own.slice(0, -part.length), part }
    : { prefix, name: own, part: '' };
}

/** Returns the keys of the tensors that a key may belong to: for `weight_g`, this includes the key of `weight`. */
export function plainKeys(key: string): string[] {
  const parts = [modernKey(key), legacyKey(key)].filter((found) => found !== null);
  return [key, ...parts.map(({ prefix, name }) => prefix + name)];
}

/** Returns the tensors that a key may be a part of, in either key format. */
export function keyForms(key: string): KeyForm[] {
  const [modern, legacy] = [modernKey(key), legacyKey(key)];
  return [
    ...(modern === null
      ? []
      : [
          {
            ...modern,
            keyOf: ({ prefix, name }: TensorKey) => `${prefix}parametrizations.${name}.${modern.part}`,
          },
        ]),
    ...(legacy.part === ''
      ? []
      : [{ ...legacy, keyOf: ({ prefix, name }: TensorKey) => prefix + name + legacy.part }]),
  ];
}
