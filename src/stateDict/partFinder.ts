import { plainKeys } from '../nn/stateDict/stateKeys.ts';

/**
 * Makes a function that finds the part of a model that a key belongs to, in any key format.
 *
 * @param keys - the plain keys of tensors, with their parts; the last of equal keys counts
 */
export function partFinder<Part>(keys: Iterable<readonly [string, Part]>): (key: string) => Part | undefined {
  const byKey = new Map(keys);
  return (key) => {
    const plain = plainKeys(key).find((candidate) => byKey.has(candidate));
    return plain === undefined ? undefined : byKey.get(plain);
  };
}
