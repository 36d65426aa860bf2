import { joinPath } from '../../../core/paths.ts';
import { plainKeys } from '../../../nn/stateDict/stateKeys.ts';
import type { ModelState, StatePart } from '../../../stateDict/modelState.ts';
import type { KnownKeys } from '../knownKeys.ts';

/** Finds the part of a model that a key is of, in any key format. */
export function partFinder({ parts }: ModelState): (key: string) => StatePart | undefined {
  const byTensor = new Map(
    parts.flatMap((part) =>
      part.tensors.flatMap(({ path, torchNames }) =>
        [path, ...torchNames.map((name) => joinPath(part.path, name))].map((key) => [key, part] as const),
      ),
    ),
  );
  return (key) => {
    const plain = plainKeys(key).find((candidate) => byTensor.has(candidate));
    return plain === undefined ? undefined : byTensor.get(plain);
  };
}

/** Every key under which a tensor of a model may stand in a file. */
export function keysOfParts(state: ModelState): KnownKeys {
  const partOf = partFinder(state);
  return { has: (key) => partOf(key) !== undefined };
}
