import type { KeyForm, TensorKey } from '../module/tiedKeys.ts';

/** The normalizations whose parts have names of their own in torch's old state dicts. */
export type Normalization = 'weightNorm' | 'spectralNorm';

/** The names and shapes of the parts of one normalization, without its mathematics. */
interface NormalizationKeys {
  /** The names of its parts below `parametrizations.<name>.`, with the ends of their old names, in the old order. */
  readonly suffixes: Readonly<Record<string, string>>;
  /** A short text that says how the value is computed from them. */
  readonly rule: string;
}

/**
 * The names of normalized weights in state dicts: the only place that has them, for modules and for files.
 *
 * `weight_v` means two things: with `weight_g` it is the direction of weight normalization, with `weight_orig` a vector
 * of spectral normalization. Alone it means nothing.
 */
export const normalizations: Readonly<Record<Normalization, NormalizationKeys>> = {
  weightNorm: { suffixes: { original0: '_g', original1: '_v' }, rule: 'g · v / ‖v‖' },
  spectralNorm: { suffixes: { original: '_orig', '0._u': '_u', '0._v': '_v' }, rule: 'W / σ' },
};

/** The normalizations by name. */
export const normalizationNames = Object.keys(normalizations) as readonly Normalization[];

/** The modern names of the parts of a normalized tensor, below `parametrizations.<name>.`. */
export const partsOf = (normalization: Normalization): string[] =>
  Object.keys(normalizations[normalization].suffixes);

/**
 * The key of one part below its module, in the modern key format or the old one; a part without an old name keeps the
 * modern one.
 */
export function keyIn(
  { name, normalization }: { readonly name: string; readonly normalization: Normalization | null },
  part: string,
  isLegacy: boolean,
): string {
  const suffix =
    isLegacy && normalization !== null ? normalizations[normalization].suffixes[part] : undefined;
  return suffix === undefined ? `parametrizations.${name}.${part}` : name + suffix;
}

/** The keys of all parts. */
export const keysIn = (name: string, normalization: Normalization, isLegacy: boolean): string[] =>
  partsOf(normalization).map((part) => keyIn({ name, normalization }, part, isLegacy));

/** The parts of a key: the path of the module, with its dot, the name of the tensor, and the name of its part. */
export interface KeyParts {
  readonly prefix: string;
  readonly name: string;
  /** The text after `parametrizations.<name>.`, or an old suffix; empty for a plain key. */
  readonly part: string;
}

const suffixes = new Set(normalizationNames.flatMap((name) => Object.values(normalizations[name].suffixes)));

/** A key taken apart as the modern key format has it; null if it is not of a parametrized tensor. */
export function modernKey(key: string): KeyParts | null {
  const match = /^(|.*?\.)parametrizations\.([^.]+)\.(.+)$/s.exec(key);
  return match === null ? null : { prefix: match[1]!, name: match[2]!, part: match[3]! };
}

/** A key taken apart as the old key format has it: plain where it ends with none of its suffixes. */
export function legacyKey(key: string): KeyParts {
  const dot = key.lastIndexOf('.') + 1;
  const [prefix, own] = [key.slice(0, dot), key.slice(dot)];
  const part = own.slice(Math.max(own.lastIndexOf('_'), 0));
  return suffixes.has(part) && own !== part
    ? { prefix, name: own.slice(0, -part.length), part }
    : { prefix, name: own, part: '' };
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

/** The axes of v along which g has a norm for each index; null if they are not parts of one weight. */
export function keptAxes(g: readonly number[], v: readonly number[]): number[] | null {
  const fits =
    g.length === 0 || (g.length === v.length && g.every((size, axis) => size === 1 || size === v[axis]));
  return fits ? g.flatMap((size, axis) => (size === 1 ? [] : [axis])) : null;
}

/** The axes of W whose slices can be the rows of a matrix that has u and v for its vectors. */
export function rowAxes(W: readonly number[], u: readonly number[], v: readonly number[]): number[] {
  const size = W.reduce((product, length) => product * length, 1);
  return v.length === 1 && size === u[0]! * v[0]! ? leftAxes(W, u) : [];
}

/** Those that u alone fits. */
export const leftAxes = (W: readonly number[], u: readonly number[]): number[] =>
  u.length === 1 ? W.flatMap((length, axis) => (length === u[0] ? [axis] : [])) : [];
