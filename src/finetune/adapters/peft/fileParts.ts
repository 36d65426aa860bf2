import type { NamedTensorMap } from '@tensorflow/tfjs-core';
import { CheckpointError, quoted } from '../../../checkpoint/checkpointError.ts';
import { joinPath } from '../../../core/paths.ts';
import { type PeftKey, parsePeftKey } from './peftKeys.ts';
import type { Factors } from './peftModules.ts';

/** The contents of a file of an adapter. */
export interface FileParts {
  /** The parts of the adapter by the paths of modules. */
  readonly modules: ReadonlyMap<string, Factors>;
  /** The weights that replace those of the model, by their keys in it. */
  readonly plain: NamedTensorMap;
}

/**
 * Sorts the tensors of a file of an adapter.
 *
 * @param adapter - the name of the adapter, if the file has several
 * @throws {@link CheckpointError} `AMBIGUOUS` for several adapters, none with the name; `CORRUPT` for an
 * adapter without one of its parts, and for a file without an adapter
 */
export function filePartsOf(tensors: NamedTensorMap, adapter: string): FileParts {
  const keys = Object.keys(tensors).flatMap((key): [string, PeftKey][] => {
    const parsed = parsePeftKey(key);
    return parsed === null ? [] : [[key, parsed]];
  });
  const isPart = ({ part }: PeftKey): boolean => part !== 'plain' && part !== 'base_layer';
  const names = [
    ...new Set(keys.flatMap(([, key]) => (isPart(key) && key.adapter !== null ? [key.adapter] : []))),
  ];
  const name = names.length > 1 ? names.find((one) => one === adapter) : names[0];
  if (names.length > 1 && name === undefined) {
    throw new CheckpointError(
      'AMBIGUOUS',
      `the file has the adapters ${names.map(quoted).join(', ')}`,
      'Pass the name of one of them: { adapter }.',
    );
  }
  const own = keys.filter(([, key]) => key.adapter === null || name === undefined || key.adapter === name);
  const modules = new Map<string, Partial<Factors>>();
  const plain: NamedTensorMap = {};
  for (const [key, parsed] of own) {
    const { part, path, name: tensor } = parsed;
    if (!isPart(parsed)) plain[joinPath(path, tensor)] = tensors[key]!;
    else modules.set(path, { ...modules.get(path), [part]: tensors[key]! });
  }
  if (modules.size === 0) {
    throw new CheckpointError(
      'CORRUPT',
      'the file has no part of an adapter',
      'Pass the file of an adapter of PEFT.',
    );
  }
  for (const [path, { lora_A: A, lora_B: B }] of modules) {
    if (A !== undefined && B !== undefined && A.rank >= 2 && B.rank >= 2) continue;
    throw new CheckpointError(
      'CORRUPT',
      `the adapter of ${quoted(path)} has no matrix ${A === undefined ? 'lora_A' : 'lora_B'}`,
      'Save it again.',
    );
  }
  return { modules: modules as ReadonlyMap<string, Factors>, plain };
}
