import { joinPath } from '../../core/paths.ts';
import { nearest } from '../../core/text.ts';
import type { TensorRecipe } from '../../stateDict/recipe.ts';
import { CheckpointError, quoted } from '../checkpointError.ts';
import type { CheckpointFile } from '../file/checkpointFile.ts';
import { aliasesIn } from '../metadata/aliases.ts';
import { recipeIn } from '../metadata/recipeText.ts';
import { checkTiedValue } from './checkTiedValue.ts';
import { mergedView, type Place } from './mergedView.ts';
import { parametrizedWeights } from './parametrizedWeights.ts';
import { type TiedName, TieRoots } from './tieRoots.ts';
import { matrixShape } from './transposed.ts';

/** A file without the tensors that read others. */
interface MergedFile {
  readonly file: CheckpointFile;
  /** The entries of the ties that the file lacks. */
  readonly ties: readonly TensorRecipe[];
}

/**
 * Merges the tied tensors of a file: each stays under the name of its source. A tied tensor may be absent from the
 * file; if it is there, it must have the value of its source; if only it is there, the source gets its value.
 *
 * @param recipe - the entries to apply; the ties that the file has count too
 * @throws {@link CheckpointError} `CONFLICT` for other values, for tensors that are parametrized or tied otherwise;
 * `UNKNOWN_TENSOR`, `SHAPE`, `CYCLE`, `TIED`
 */
export async function mergeTies(file: CheckpointFile, recipe: readonly TensorRecipe[]): Promise<MergedFile> {
  const roots = new TieRoots();
  for (const entry of recipeIn(file.metadata) ?? []) roots.add(entry);
  const ties = recipe.filter((entry) => roots.add(entry));
  checkSteps(roots, recipe);
  const groups = roots.groups();
  if (groups.size === 0) return { file, ties };
  const weights = new Set(parametrizedWeights(file).map(({ prefix, tensor }) => prefix + tensor));
  const names = new Set(file.names);
  const aliases = aliasesIn(names, file.metadata);
  const merged = {
    aliases,
    gone: new Map<string, TiedName>(),
    moved: new Map<string, Place>(),
    isTied: (name: string) => roots.sourceOf(name) !== undefined,
  };
  for (const [root, members] of groups) {
    const parametrized = members.find(({ name }) => weights.has(name));
    if (parametrized !== undefined) throw parametrizedAlready(parametrized.name, root);
    const stored = members.flatMap(({ name, isTransposed }): StoredMember[] => {
      const from = names.has(name) ? name : aliases.get(name);
      return from === undefined ? [] : [{ name, isTransposed, from }];
    });
    const own = names.has(root) ? root : aliases.get(root);
    const source = own === undefined ? firstOf(stored) : { from: own, isTransposed: false };
    if (source === null && !weights.has(root)) throw unknown(root, members[0]!, file);
    const place = own === undefined && weights.has(root) ? null : source;
    if (place !== null && members.some(({ isTransposed }) => isTransposed)) {
      matrixShape(file.info(place.from).shape, root);
    }
    for (const member of stored) {
      const isSame = member.from === place?.from && member.isTransposed === place.isTransposed;
      if (!isSame) await checkTiedValue(file, member, root, place);
      if (names.has(member.name)) merged.gone.set(member.name, { ...member, name: root });
    }
    if (place !== null && place.from !== root) merged.moved.set(root, place);
  }
  return { file: mergedView(file, merged), ties };
}

/** A tied tensor that the file has, under this name or another. */
export interface StoredMember extends TiedName, Place {}

/** Returns the place of the value of a source that the file lacks: preferably a tensor under its own name. */
const firstOf = (stored: readonly StoredMember[]): Place | null =>
  stored.find(({ name, from }) => name === from) ?? stored[0] ?? null;

/** Refuses steps on tensors that read others. */
function checkSteps(roots: TieRoots, recipe: readonly TensorRecipe[]): void {
  for (const { path, tensor, tiedTo } of recipe) {
    const name = joinPath(path, tensor);
    const source = tiedTo === undefined ? roots.sourceOf(name) : undefined;
    if (source === undefined) continue;
    throw new CheckpointError(
      'TIED',
      `${quoted(name)} is tied to ${quoted(source)}, and has no steps of its own`,
      'Leave it out; its source may have steps.',
    );
  }
}

const parametrizedAlready = (name: string, root: string): CheckpointError =>
  new CheckpointError(
    'CONFLICT',
    `the tensor ${quoted(name)} of the file is parametrized already, and the recipe ties it to ${quoted(root)}`,
    'Fold the file first, or leave the tensor out of the recipe.',
  );

function unknown(root: string, { name }: TiedName, { names }: CheckpointFile): CheckpointError {
  const near = nearest(root, names, 2).map(quoted);
  const hint = near.length === 0 ? '' : ` (nearest: ${near.join(', ')})`;
  return new CheckpointError(
    'UNKNOWN_TENSOR',
    `${quoted(name)} is tied to ${quoted(root)}, and the file has neither${hint}`,
    'Correct the paths of the recipe, or pass --prefix.',
  );
}
