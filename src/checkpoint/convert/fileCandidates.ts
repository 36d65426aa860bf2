import type { DataType } from '@tensorflow/tfjs-core';
import { joinPath } from '../../core/paths.ts';
import { definedCatalog } from '../../model/catalog.ts';
import type { FoundCandidate } from '../../model/select/candidate.ts';
import { partsOf } from '../../nn/stateDict/stateKeys.ts';
import { shapeByRecipe } from '../../stateDict/recipe.ts';
import type { CheckpointFile } from '../file/checkpointFile.ts';
import { aliasesIn } from '../metadata/aliases.ts';
import { recipeIn } from '../metadata/recipeText.ts';
import { type ParametrizedWeight, parametrizedWeights } from './parametrizedWeights.ts';

/** A tensor of a file that rules may match. */
export interface FileCandidate extends FoundCandidate {
  /** The parametrization in the file, or null for a plain tensor. */
  readonly weight: ParametrizedWeight | null;
  /** True if it is another name of a tensor, by the metadata, or reads another tensor, by the recipe. */
  readonly isAlias: boolean;
}

/**
 * Returns every tensor of a file that rules may match, in the order of the file: plain tensors and parametrized ones,
 * with the names that the metadata list. Nothing is read. A file does not tell the class of a host.
 */
export function fileCandidates(file: CheckpointFile): FileCandidate[] {
  const weights = parametrizedWeights(file);
  const weightOf = new Map(weights.flatMap((weight) => weight.parts.map((part) => [part, weight] as const)));
  const hosts = new Map<string, object>();
  const found = new Map<string, FileCandidate>();
  const add = (
    name: string,
    spec: Pick<FileCandidate, 'shape' | 'dtype' | 'weight'> & Partial<FileCandidate>,
  ): void => {
    if (found.has(name)) return;
    const dot = name.lastIndexOf('.');
    const [path, tensor] = [name.slice(0, Math.max(dot, 0)), name.slice(dot + 1)];
    const host = hosts.get(path) ?? {};
    hosts.set(path, host);
    found.set(name, {
      index: found.size,
      host,
      path,
      paths: [path],
      tensor,
      type: 'module',
      registered: [],
      list: null,
      variable: null,
      isMain: tensor === 'weight',
      isAlias: false,
      ...spec,
    });
  };
  const plain = (name: string): Pick<FileCandidate, 'shape' | 'dtype' | 'weight'> => {
    const { shape, dtype } = file.info(name);
    return { shape, dtype: dataType(dtype), weight: null };
  };
  for (const name of file.names) {
    const weight = weightOf.get(name);
    if (weight === undefined) add(name, plain(name));
    else add(weight.prefix + weight.tensor, { shape: shapeOf(file, weight), dtype: 'float32', weight });
  }
  for (const [name, kept] of aliasesIn(new Set(file.names), file.metadata)) {
    if (!weightOf.has(kept)) add(name, { ...plain(kept), isAlias: true });
  }
  for (const { path, tensor, tiedTo } of recipeIn(file.metadata) ?? []) {
    if (tiedTo === undefined) continue;
    const name = joinPath(path, tensor);
    const source = joinPath(tiedTo.path, tiedTo.tensor);
    const { shape = [] } = found.get(name) ?? found.get(source) ?? {};
    found.delete(name);
    const closed = `it is tied to '${source}'`;
    add(name, { shape, dtype: 'float32', weight: null, isAlias: true, closed });
  }
  return [...found.values()].map((candidate, index) => ({ ...candidate, index }));
}

/** Returns the shape of a parametrized weight; that of its last original if neither names nor a recipe tell. */
function shapeOf(file: CheckpointFile, { parts, hookKeys, recipe }: ParametrizedWeight): readonly number[] {
  if (hookKeys !== null) return file.info(parts[partsOf(hookKeys).indexOf(hookKeys.whole)]!).shape;
  const originals = parts.filter((part) => /\.original\d*$/.test(part)).map((part) => file.info(part).shape);
  return originals.length === 0 ? [] : shapeByRecipe(recipe?.[0]?.steps[0], originals, definedCatalog());
}

const dataType = (dtype: string): DataType =>
  dtype === 'BOOL' ? 'bool' : /^[IU]/.test(dtype) ? 'int32' : 'float32';
