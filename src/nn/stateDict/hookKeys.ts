import type { Arithmetic } from './arithmetic.ts';
import { pruningKeys } from './pruningKeys.ts';
import { spectralNormKeys } from './spectralNormKeys.ts';
import { weightNormKeys } from './weightNormKeys.ts';

/** An object with a shape: a tensor, or the header of a tensor in a file. */
export interface Shaped {
  /** The sizes of the axes. */
  readonly shape: readonly number[];
}

/** The parts of a computed tensor, by their names below `parametrizations.<name>.`: `original0`, `0._u`. */
export type Parts<A extends Shaped> = Readonly<Record<string, A>>;

/**
 * The names of the parts of a tensor in torch's older API, which computes the tensor in a forward hook: `weight_g`,
 * `weight_v`. The formula of the value lets a state dict with such names load into a plain tensor.
 */
export interface HookKeys {
  /** The name of the parametrization. */
  readonly kind: string;
  /** The suffix in the older API of each part, in the order of that API. */
  readonly suffixes: Readonly<Record<string, string>>;
  /** The formula of the value from the parts, in a few words. */
  readonly rule: string;
  /** The part that has the shape and the type of the tensor. */
  readonly whole: string;
  /** The parts that are vectors of length 1. */
  readonly unitVectors?: readonly string[];
  /**
   * True if parts with these shapes can belong to one tensor.
   *
   * @param axes - the axes of the parametrization, if they are known
   */
  fits(parts: Parts<Shaped>, axes?: readonly number[]): boolean;
  /**
   * Returns the value of parts that {@link fits} accepts.
   *
   * @param outputAxis - the axis that numbers the outputs of the module, if it is known
   */
  value<A extends Shaped>(parts: Parts<A>, math: Arithmetic<A>, outputAxis?: number): A;
  /** The recovery of the last part. An older version saved the value of the tensor instead, under its own name. */
  readonly unsaved?: {
    /** True if the other parts and the value can belong to one tensor. */
    fits(parts: Parts<Shaped>, value: Shaped): boolean;
    /** The shape of the part. */
    shape(parts: Parts<Shaped>): number[];
    /** Computes the part from the other parts and the value. */
    from<A extends Shaped>(parts: Parts<A>, value: A, math: Arithmetic<A>, outputAxis?: number): A;
  };
}

// torch's names. A module reads torch's state dicts even in a program without the parametrizations.
const known: HookKeys[] = [weightNormKeys, spectralNormKeys, pruningKeys];

/** Returns all names that state dicts are searched for. */
export const knownHookKeys = (): readonly HookKeys[] => known;

/**
 * Returns the names that a state dict is searched for the parts of a tensor by. Of maps with the same names of all
 * parts, it has the preferred one, else the last that was added.
 *
 * @param preferred - the names of the map of the tensor, or null
 */
export const distinctHookKeys = (preferred: HookKeys | null): readonly HookKeys[] => {
  const bySuffixes = [...known, ...(preferred === null ? [] : [preferred])].map(
    (keys) => [JSON.stringify(keys.suffixes), keys] as const,
  );
  return [...new Map(bySuffixes).values()];
};

/** Adds names that state dicts are searched for. */
export function addHookKeys(keys: HookKeys): void {
  if (!known.includes(keys)) known.push(keys);
}
