import type { NamedTensorMap } from '@tensorflow/tfjs-core';
import type { TiedKeys } from '../../nn/stateDict/tiedKeys.ts';
import { CheckpointError, quoted } from '../checkpointError.ts';

/**
 * Returns the tensors without repeated ones, and the written key for each other key.
 *
 * @throws {@link CheckpointError} `OPTION` for metadata with the name of a tied key
 */
export function writtenOnce(
  tensors: NamedTensorMap,
  ties: TiedKeys,
  metadata: Readonly<Record<string, string>>,
): { tensors: NamedTensorMap; aliases: Record<string, string> } {
  const firsts = Object.keys(tensors).filter(
    (key) => ties.firstOf(key) === key || !(ties.firstOf(key) in tensors),
  );
  const aliases = Object.fromEntries(
    firsts.flatMap((first) =>
      ties
        .othersOf(first)
        .filter((other) => !firsts.includes(other))
        .map((other) => [other, first]),
    ),
  );
  const taken = Object.keys(aliases).find((key) => key in metadata);
  if (taken !== undefined) {
    throw new CheckpointError(
      'OPTION',
      `the metadata ${quoted(taken)} is a key of a tensor, where the file says that it is tied to ${quoted(aliases[taken]!)}`,
      'Call it something else.',
    );
  }
  return { tensors: Object.fromEntries(firsts.map((key) => [key, tensors[key]!])), aliases };
}
