import type { KeyFormat } from '../../nn/stateDict/keyFormat.ts';
import { type KeyParts, keyIn, legacyKey, modernKey, partsOf } from '../../nn/stateDict/stateKeys.ts';
import { CheckpointError, quoted } from '../checkpointError.ts';
import type { CheckpointFile } from '../file/checkpointFile.ts';
import { aliasesIn } from '../metadata/aliases.ts';
import { renamed } from './converted.ts';
import type { ParametrizedWeight } from './parametrizedWeights.ts';

/**
 * Returns the other names of tensors after a conversion, each with the name that the new file has. Where all parts of a
 * weight have other names, these are converted too.
 *
 * @param weights - the weights that are converted
 * @throws {@link CheckpointError} `TIED` for a part of a folded weight that something else shares
 */
export function convertedAliases(
  file: CheckpointFile,
  weights: readonly ParametrizedWeight[],
  keyFormat: KeyFormat,
): Readonly<Record<string, string>> {
  const weightOf = new Map(weights.flatMap((weight) => weight.parts.map((part) => [part, weight] as const)));
  const aliases: Record<string, string> = Object.create(null);
  const before = aliasesIn(new Set(file.names), file.metadata);
  for (const [alias, kept] of before) {
    const weight = weightOf.get(kept);
    if (weight === undefined) {
      aliases[alias] = kept;
      continue;
    }
    const place = placeOf(alias, kept, weight);
    const isWhole =
      place !== null && weight.parts.every((part) => before.get(nameAt(weight, place, part)) === part);
    if (keyFormat !== 'folded') {
      aliases[isWhole ? aliasOf(weight, place, kept, keyFormat) : alias] = renamed(weight, kept, keyFormat);
    } else if (isWhole) aliases[place.prefix + place.name] = weight.prefix + weight.tensor;
    else throw shared(alias, weight);
  }
  return aliases;
}

const split = (key: string, { keyFormat }: ParametrizedWeight): KeyParts | null =>
  keyFormat === 'modern' ? modernKey(key) : legacyKey(key);

/** Returns the place of the weight that an alias of a part belongs to; null if it is no part of that name. */
function placeOf(alias: string, kept: string, weight: ParametrizedWeight): KeyParts | null {
  const place = split(alias, weight);
  return place?.part === split(kept, weight)?.part ? place : null;
}

/** Returns the name of a part of a weight at another place. */
function nameAt({ prefix, tensor, keyFormat }: ParametrizedWeight, place: KeyParts, part: string): string {
  const below = keyFormat === 'modern' ? 'parametrizations.' : '';
  return place.prefix + below + place.name + part.slice((prefix + below + tensor).length);
}

/** Returns the new name of an alias of a part. */
function aliasOf(
  { hookKeys, parts }: ParametrizedWeight,
  { prefix, name, part }: KeyParts,
  kept: string,
  keyFormat: KeyFormat,
): string {
  const modern = hookKeys === null ? part : partsOf(hookKeys)[parts.indexOf(kept)]!;
  return prefix + keyIn({ name, hookKeys }, modern, keyFormat === 'legacy');
}

const shared = (alias: string, { prefix, tensor }: ParametrizedWeight): CheckpointError =>
  new CheckpointError(
    'TIED',
    `a part of ${quoted(prefix + tensor)} is also called ${quoted(alias)}, which is not folded with it`,
    'Leave the weight out by --exclude, or load the file into its model, and save that with keyFormat folded.',
  );
