import type { Arithmetic } from './arithmetic.ts';
import { spectralNormKeys } from './spectralNormKeys.ts';
import { weightNormKeys } from './weightNormKeys.ts';

/** Something that has a shape: a tensor, or the header of a tensor in a file. */
export interface Shaped {
  readonly shape: readonly number[];
}

/** The parts of a computed tensor, by their names below `parametrizations.<name>.`: `original0`, `0._u`. */
export type Parts<A extends Shaped> = Readonly<Record<string, A>>;

/**
 * The names of the parts of a tensor in torch's older API, which computes the tensor in a forward hook: `weight_g`,
 * `weight_v`. And the value that the parts have, by which a state dict with such names can be loaded into a tensor that
 * nothing computes.
 */
export interface HookKeys {
  /** The name of the parametrization. */
  readonly kind: string;
  /** The parts with the ends of their names in the older API, in the order of that. */
  readonly suffixes: Readonly<Record<string, string>>;
  /** The formula of the value from the parts, in a few words. */
  readonly rule: string;
  /** The part that has the shape and the type of the tensor. */
  readonly whole: string;
  /** The parts that are vectors of length 1. */
  readonly unitVectors?: readonly string[];
  /**
   * True if parts of these shapes can be those of one tensor.
   *
   * @param axes - the axes of the tensor that the parametrization is along, if they are known
   */
  fits(parts: Parts<Shaped>, axes?: readonly number[]): boolean;
  /**
   * The value that parts have which {@link fits} each other.
   *
   * @param outputAxis - the axis that numbers the outputs of the module, if one is known
   */
  value<A extends Shaped>(parts: Parts<A>, math: Arithmetic<A>, outputAxis?: number): A;
  /** For the last of the parts: an older version saved the value of the tensor instead, under its own name. */
  readonly unsaved?: {
    /** True if the other parts and the value can be those of one tensor. */
    fits(parts: Parts<Shaped>, value: Shaped): boolean;
    /** The shape of the part. */
    shape(parts: Parts<Shaped>): number[];
    /** The part, from the other parts and the value. */
    from<A extends Shaped>(parts: Parts<A>, value: A, math: Arithmetic<A>, outputAxis?: number): A;
  };
}

/** The ends of the names that hook keys have. */
export type SuffixOf<Keys extends Pick<HookKeys, 'suffixes'>> = Keys['suffixes'][keyof Keys['suffixes']];

// Those that torch has: a module reads its state dicts, whether or not a program has the parametrizations.
const known: HookKeys[] = [weightNormKeys, spectralNormKeys];

/** All that state dicts are looked through for. */
export const knownHookKeys = (): readonly HookKeys[] => known;

/** Has state dicts looked through for further names. */
export function addHookKeys(keys: HookKeys): void {
  if (!known.includes(keys)) known.push(keys);
}
