import { joinPath } from '../../core/paths.ts';
import { definedCatalog } from '../../model/catalog.ts';
import type { KeyFormat } from '../../nn/stateDict/keyFormat.ts';
import { keyIn, partsOf } from '../../nn/stateDict/stateKeys.ts';
import { shapeByRecipe, type TensorRecipe } from '../../stateDict/recipe.ts';
import { CheckpointError, corrupt, quoted } from '../checkpointError.ts';
import type { CheckpointFile, TensorInfo } from '../file/checkpointFile.ts';
import { type VectorNote, vectorNote } from '../metadata/checkpointNote.ts';
import { checkDType } from '../tensor/dtype.ts';
import type { PlannedTensor } from '../tensor/plannedTensor.ts';
import type { StoredTensor } from '../tensor/storedTensor.ts';
import { checkKinds, foldByRecipe, foldElsewhere } from './foldByRecipe.ts';
import { floats, foldedType, foldStored, storedAs, unsavedPart } from './foldStored.ts';
import { infosOf, type ParametrizedWeight, parametrizedWeights } from './parametrizedWeights.ts';

/** The options of {@link converted}. */
export interface Conversion {
  readonly keyFormat: KeyFormat;
  /** True for weights that stay as they are; default: none. */
  isExcluded?(weight: ParametrizedWeight): boolean;
  /** Called when a vector of spectral norm with a norm other than 1 is read. */
  found?(note: VectorNote): void;
}

/**
 * Returns the tensors of a file in one key format without reading them. A plain tensor keeps its name and its bytes. A
 * tensor with a recipe in the file is folded by its maps, which need a backend.
 *
 * @throws {@link CheckpointError} `UNSUPPORTED` for `folded`, if neither names nor a recipe identify a parametrization;
 * `UNKNOWN_RECIPE`, `DTYPE`
 */
export function converted(file: CheckpointFile, conversion: Conversion): Map<string, PlannedTensor> {
  const { keyFormat, isExcluded = () => false } = conversion;
  const weights = parametrizedWeights(file).filter((weight) => !isExcluded(weight));
  const weightOf = new Map(weights.flatMap((weight) => weight.parts.map((part) => [part, weight] as const)));
  const planned = new Map<string, PlannedTensor>();
  const add = (name: string, tensor: PlannedTensor): void => {
    if (planned.has(name)) throw corrupt(`two tensors would be called ${quoted(name)}`);
    planned.set(name, tensor);
  };
  for (const name of file.names) {
    const weight = weightOf.get(name);
    if (weight === undefined) add(name, asItIs(file, name));
    else if (keyFormat !== 'folded') add(renamed(weight, name, keyFormat), partOf(file, weight, name));
    else if (weight.parts[0] === name) add(weight.prefix + weight.tensor, folded(file, weight, conversion));
  }
  return planned;
}

/** Plans a tensor that keeps its bytes. */
export function asItIs(file: CheckpointFile, name: string): PlannedTensor {
  const { dtype, shape } = file.info(name);
  checkDType(dtype, name);
  return { dtype, shape, read: () => file.read(name) };
}

function partOf(file: CheckpointFile, weight: ParametrizedWeight, name: string): PlannedTensor {
  const { parts, hookKeys, hasValue } = weight;
  if (!hasValue || name !== parts.at(-1)) return asItIs(file, name);
  const infos = infosOf(file, hookKeys!, parts);
  return {
    dtype: foldedType(infos[hookKeys!.whole]!.dtype),
    shape: hookKeys!.unsaved!.shape(infos),
    read: async () => unsavedPart(hookKeys!, await readAll(file, parts), weight.prefix + weight.tensor),
  };
}

async function readAll(file: CheckpointFile, parts: readonly string[]): Promise<StoredTensor[]> {
  const stored: StoredTensor[] = [];
  for (const part of parts) stored.push(await file.read(part));
  return stored;
}

/** Returns the name of a part of a weight in another key format. */
export function renamed(weight: ParametrizedWeight, part: string, keyFormat: KeyFormat): string {
  const { prefix, tensor, hookKeys, parts } = weight;
  if (hookKeys === null) return part;
  const modern = partsOf(hookKeys)[parts.indexOf(part)]!;
  return prefix + keyIn({ name: tensor, hookKeys }, modern, keyFormat === 'legacy');
}

function folded(
  file: CheckpointFile,
  weight: ParametrizedWeight,
  { found = () => {} }: Conversion,
): PlannedTensor {
  const { prefix, tensor, hookKeys, parts, hasValue, recipe } = weight;
  const name = prefix + tensor;
  for (const part of parts) checkDType(file.info(part).dtype, part);
  if (recipe !== null) return foldedByRecipe(file, weight, recipe, found);
  if (hookKeys === null) throw unknown(name);
  if (hasValue) return asItIs(file, parts.at(-1)!);
  const { dtype, shape } = file.info(parts[partsOf(hookKeys).indexOf(hookKeys.whole)]!);
  return {
    dtype: foldedType(dtype),
    shape,
    async read() {
      const stored = await readAll(file, parts);
      noteVectors(weight, stored, found);
      return foldStored(hookKeys, stored, name);
    },
  };
}

/** Reports parts that should be unit vectors and are not. */
function noteVectors(
  { prefix, tensor, hookKeys, parts, hasValue }: ParametrizedWeight,
  stored: readonly StoredTensor[],
  found: (note: VectorNote) => void,
): void {
  if (hookKeys === null) return;
  const names = partsOf(hookKeys).slice(0, hasValue ? -1 : undefined);
  for (const [i, name] of names.entries()) {
    if (!hookKeys.unitVectors?.includes(name)) continue;
    const note = vectorNote(parts[i]!, floats(stored[i]!, prefix + tensor));
    if (note !== null) found(note);
  }
}

function foldedByRecipe(
  file: CheckpointFile,
  own: ParametrizedWeight,
  recipe: readonly TensorRecipe[],
  found: (note: VectorNote) => void,
): PlannedTensor {
  const { prefix, tensor, keyFormat, hookKeys, parts } = own;
  const name = prefix + tensor;
  checkKinds(name, recipe);
  const start = `${prefix}parametrizations.${tensor}.`.length;
  const keys = parts.map((part, i) => {
    const own = keyFormat === 'modern' ? part.slice(start) : partsOf(hookKeys!)[i]!;
    return `parametrizations.weight.${own}`;
  });
  const infos = new Map(keys.map((key, i) => [key, file.info(parts[i]!)]));
  const spec = specOf(infos, recipe, '', 'weight');
  if (spec === undefined) throw corrupt(`the parametrized weight ${quoted(name)} has no original`);
  const { shape } = spec;
  // The maps compute in float32.
  const dtype = spec.dtype === 'F64' ? 'F32' : foldedType(spec.dtype);
  return {
    dtype,
    shape,
    async read() {
      const stored = await readAll(file, parts);
      noteVectors(own, stored, found);
      const weight = await foldByRecipe(
        name,
        shape,
        recipe,
        new Map(keys.map((key, i) => [key, stored[i]!])),
      );
      return storedAs(dtype, shape, weight.data as Float32Array);
    },
  };
}

/** The maximum depth of parametrized originals. */
const deepest = 4;

/** The maximum number of originals of a tensor. */
const mostOriginals = 8;

/** Returns the shape and type of a tensor from its originals, which may be parametrized themselves. */
function specOf(
  infos: ReadonlyMap<string, TensorInfo>,
  recipe: readonly TensorRecipe[],
  path: string,
  tensor: string,
  depth = 0,
): TensorInfo | undefined {
  if (depth === deepest) return undefined;
  const own = joinPath(path, `parametrizations.${tensor}`);
  const originals: TensorInfo[] = [];
  for (const name of ['original', ...Array.from({ length: mostOriginals }, (_, i) => `original${i}`)]) {
    const info = infos.get(`${own}.${name}`) ?? specOf(infos, recipe, own, name, depth + 1);
    if (info !== undefined) originals.push(info);
  }
  const entry = recipe.find((one) => one.path === path && one.tensor === tensor);
  const last = originals.at(-1);
  if (last === undefined) return undefined;
  const shapes = originals.map(({ shape }) => shape);
  return { ...last, shape: shapeByRecipe(entry?.steps[0], shapes, definedCatalog()) };
}

const unknown = (name: string): CheckpointError =>
  new CheckpointError(
    'UNSUPPORTED',
    `the tensor ${quoted(name)} is parametrized, and neither its names nor a recipe in the file tell by what`,
    foldElsewhere,
  );
