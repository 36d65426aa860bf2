import { joinPath } from '../../core/paths.ts';
import type { TensorRecipe } from '../../stateDict/recipe.ts';
import type { CheckpointFile } from '../file/checkpointFile.ts';
import { aliasesIn } from '../metadata/aliases.ts';
import { recipeIn } from '../metadata/recipeText.ts';
import type { PlannedTensor } from '../tensor/plannedTensor.ts';
import { TieRoots } from './tieRoots.ts';
import { matrixShape, transposed } from './transposed.ts';

/** The tied tensors of a folded file, which no recipe says any more. */
interface FoldedTies {
  /** The sources, by the names of tensors with the same value. */
  readonly aliases: Readonly<Record<string, string>>;
  /** The transposes of sources, by their names. */
  readonly copies: ReadonlyMap<string, PlannedTensor>;
  /** The entries of ties to tensors that are not folded. */
  readonly left: readonly TensorRecipe[];
}

/**
 * Gives tied tensors of the recipe of a file a value of their own, from the folded value of the source.
 *
 * @param tensors - the tensors of the folded file, by their names
 */
export function foldedTies(file: CheckpointFile, tensors: ReadonlyMap<string, PlannedTensor>): FoldedTies {
  const recipe = recipeIn(file.metadata) ?? [];
  const roots = new TieRoots();
  for (const entry of recipe) roots.add(entry);
  const others = aliasesIn(new Set(file.names), file.metadata);
  const aliases: Record<string, string> = Object.create(null);
  const copies = new Map<string, PlannedTensor>();
  const unsaid = new Set<string>();
  for (const [root, members] of roots.groups()) {
    const kept = others.get(root) ?? root;
    const source = tensors.get(kept);
    for (const { name, isTransposed } of members) {
      if (source === undefined) continue;
      unsaid.add(name);
      if (tensors.has(name) || others.has(name)) continue;
      if (!isTransposed) aliases[name] = kept;
      else {
        copies.set(name, {
          dtype: source.dtype,
          shape: [...matrixShape(source.shape, root)].reverse(),
          read: async () => transposed(await source.read(), root),
        });
      }
    }
  }
  const left = recipe.filter(
    ({ path, tensor, tiedTo }) => tiedTo !== undefined && !unsaid.has(joinPath(path, tensor)),
  );
  return { aliases, copies, left };
}
