import type { Tensor } from '@tensorflow/tfjs-core';
import { keyForms, modernKey } from './stateKeys.ts';

/** A tensor, given by the prefix of its module (with its dot) and its name in the module. */
export interface TensorKey {
  readonly prefix: string;
  readonly name: string;
}

/** A tied tensor with its elements in another order than those of its source, such as a transpose. */
export interface ConvertedTie {
  readonly tensor: TensorKey;
  readonly source: TensorKey;
  /** Returns a value in the order of the source; undefined for a value of another shape. */
  convert(value: Tensor): Tensor | undefined;
}

/** One reading of a key: `weight_g` is a part of `weight`, or a tensor of that name. */
export interface KeyForm extends TensorKey {
  /** Returns the key of the same part of another tensor. */
  keyOf(other: TensorKey): string;
}

/** The first key of each tensor, by its other keys. */
interface Aliases {
  /** The prefixes of modules. */
  readonly paths: ReadonlyMap<string, string>;
  /** The tensors, by {@link idOf}. */
  readonly tensors: ReadonlyMap<string, TensorKey>;
  /** The tied tensors that have a value of their own in a state dict. */
  readonly converted?: readonly ConvertedTie[];
}

/** Returns the key of a tensor in a map. */
export const idOf = ({ prefix, name }: TensorKey): string => prefix + name;

/**
 * The keys of tied tensors. A shared module has its keys once for each of its paths, and a shared tensor has one key
 * for each field. The first key, in the order of the state dict, is the main key. Keys may be in any key format.
 */
export class TiedKeys {
  /** The tied tensors with another order of elements. */
  readonly converted: readonly ConvertedTie[];
  private readonly aliases: Aliases;
  private readonly otherPaths: ReadonlyMap<string, readonly string[]>;
  private readonly otherTensors: ReadonlyMap<string, readonly TensorKey[]>;
  private readonly sources: ReadonlyMap<string, TensorKey>;

  constructor(aliases: Aliases) {
    this.aliases = aliases;
    this.converted = aliases.converted ?? [];
    this.sources = new Map(this.converted.map(({ tensor, source }) => [idOf(tensor), source]));
    this.otherPaths = inverse(aliases.paths, (path) => path);
    const tensors = [...aliases.tensors].map(([id, first]) => {
      const prefix = id.slice(0, id.lastIndexOf('.') + 1);
      return [{ prefix, name: id.slice(prefix.length) }, first] as const;
    });
    this.otherTensors = inverse(tensors, idOf);
  }

  /** Returns the first key of the tensor or part of a key; the key itself if it is not tied. */
  firstOf(key: string): string {
    const moved = this.withFirstPath(key);
    for (const form of formsOf(moved)) {
      const first = this.aliases.tensors.get(idOf(form));
      if (first !== undefined) return form.keyOf(first);
    }
    return moved;
  }

  /** Returns the first key of the variable that a key is for, also if its values have another order of elements. */
  sourceOf(key: string): string {
    const first = this.firstOf(key);
    for (const form of formsOf(first)) {
      const source = this.sources.get(idOf(form));
      if (source !== undefined) return this.firstOf(idOf(source));
    }
    return first;
  }

  /** Returns the other keys of a first key, in the same key format. */
  othersOf(first: string): string[] {
    const ofTensors = formsOf(first).flatMap((form) =>
      (this.otherTensors.get(idOf(form)) ?? []).map((other) => form.keyOf(other)),
    );
    const keys = [first, ...ofTensors].flatMap((key) => [key, ...this.withOtherPaths(key)]);
    return [...new Set(keys)].filter((key) => key !== first);
  }

  private withFirstPath(key: string): string {
    if (this.aliases.paths.size === 0) return key;
    for (let dot = key.lastIndexOf('.'); dot >= 0; dot = key.lastIndexOf('.', dot - 1)) {
      const first = this.aliases.paths.get(key.slice(0, dot + 1));
      if (first !== undefined) return first + key.slice(dot + 1);
      if (dot === 0) break;
    }
    return key;
  }

  private withOtherPaths(key: string): string[] {
    if (this.otherPaths.size === 0) return [];
    for (let dot = key.lastIndexOf('.'); dot >= 0; dot = key.lastIndexOf('.', dot - 1)) {
      const others = this.otherPaths.get(key.slice(0, dot + 1));
      if (others !== undefined) return others.map((path) => path + key.slice(dot + 1));
      if (dot === 0) break;
    }
    return [];
  }
}

function inverse<K, V>(aliases: Iterable<readonly [K, V]>, idOf: (value: V) => string): Map<string, K[]> {
  const others = new Map<string, K[]>();
  for (const [other, first] of aliases) {
    const list = others.get(idOf(first));
    if (list === undefined) others.set(idOf(first), [other]);
    else list.push(other);
  }
  return others;
}

/** Returns the readings of a key. The plain tensor comes first. */
export function formsOf(key: string): readonly KeyForm[] {
  const dot = key.lastIndexOf('.') + 1;
  const plain = { prefix: key.slice(0, dot), name: key.slice(dot), keyOf: idOf };
  return [plain, ...keyForms(key)];
}

/** The result of {@link mergeTied}. */
export interface MergedKeys {
  /** The original key of each value that was moved to the first key. */
  readonly origins: Map<string, string>;
  /** Pairs of keys of one tensor with different values. */
  readonly conflicts: (readonly [string, string])[];
}

/**
 * Moves the values under other keys of tied tensors to their first keys. Two values of one tensor in different key
 * formats are in conflict: they cannot be compared key by key.
 */
export function mergeTied<T>(
  state: Map<string, T>,
  ties: TiedKeys,
  isSame: (a: T, b: T) => boolean,
): MergedKeys {
  const origins = new Map<string, string>();
  const conflicts: (readonly [string, string])[] = [];
  const formatsOf = keysByTensor(state.keys());
  for (const [key, value] of [...state]) {
    const first = ties.firstOf(key);
    if (first === key) continue;
    const other = state.get(first);
    state.delete(key);
    if (other === undefined) {
      state.set(first, value);
      origins.set(first, key);
      const rival = formatsOf(first).find((one) => ties.firstOf(one) === one);
      if (rival !== undefined) conflicts.push([rival, key]);
    } else if (!isSame(other, value)) {
      conflicts.push([origins.get(first) ?? first, key]);
    }
  }
  return { origins, conflicts };
}

/** Makes a function that returns the keys of the tensor of a key in other key formats. */
function keysByTensor(keys: Iterable<string>): (key: string) => string[] {
  const byTensor = new Map<string, string[]>();
  for (const key of keys) {
    for (const form of formsOf(key)) {
      const id = idOf(form);
      byTensor.set(id, [...(byTensor.get(id) ?? []), key]);
    }
  }
  return (key) =>
    formsOf(key).flatMap((form) => {
      const id = idOf(form);
      return (byTensor.get(id) ?? []).filter((other) => formatOf(other, id) !== formatOf(key, id));
    });
}

/** Returns the key format in which a key is the tensor, or a part of it. */
const formatOf = (key: string, id: string): string =>
  key === id ? 'plain' : modernKey(key) === null ? 'legacy' : 'modern';
