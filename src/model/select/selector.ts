import type { Candidate } from './candidate.ts';

/** A value or several. */
export type OneOrMore<T> = T | readonly T[];

/**
 * A pattern on the paths of a model: a glob, a RegExp, or a predicate.
 *
 * A pattern names hosts by their path (`encoder.0`) or tensors by their whole path (`encoder.0.weight`). A glob
 * matches the whole path: `*` is any text between two dots, `**` any number of names, `?` one character, `{a,b}` one
 * of several texts, `{0..5}` one of several integers. A RegExp is tested as it is and is not anchored.
 */
export type Pattern = string | RegExp | ((host: object, path: string, candidate: Candidate) => boolean);

/** The class of a host, or its name: `nn.Linear`, `'Dense'`. */
export type HostType = string | (abstract new (...args: never[]) => object);

/** The tensors of a model that fulfil every condition. */
export interface Selector {
  /** The paths; default `'**'`. Each pattern must match something. */
  readonly match?: OneOrMore<Pattern>;
  /** The classes of the host. Each must be that of a host that the other conditions allow. */
  readonly type?: OneOrMore<HostType>;
  /** The paths that are left out. */
  readonly exclude?: OneOrMore<Pattern>;
  /** The names of the tensors in their hosts; `'*'` for all. */
  readonly name?: OneOrMore<string>;
}

/** The keys of {@link Selector}. */
export const selectorKeys: readonly (keyof Selector)[] = ['match', 'type', 'exclude', 'name'];

/** A value or several as a list. */
export const listOf = <T>(value: OneOrMore<T>): readonly T[] =>
  Array.isArray(value) ? (value as readonly T[]) : [value as T];
