import { joinPath } from '../../core/paths.ts';
import type { TensorRecipe } from '../../stateDict/recipe.ts';
import { CheckpointError, quoted } from '../checkpointError.ts';

/** A tensor that reads another, with its name in the file. */
export interface TiedName {
  readonly name: string;
  /** True if it is the transpose of its source. */
  readonly isTransposed: boolean;
}

/** The tied tensors of recipes by their names, and the tensors that they read in the end. */
export class TieRoots {
  private readonly sources = new Map<string, TiedName>();

  /**
   * Adds the tie of an entry, if it has one.
   *
   * @returns true if the tie is new
   * @throws {@link CheckpointError} `CONFLICT` for a tensor that is tied to another one, `CYCLE`
   */
  add({ path, tensor, tiedTo }: TensorRecipe): boolean {
    if (tiedTo === undefined) return false;
    const name = joinPath(path, tensor);
    const source = { name: joinPath(tiedTo.path, tiedTo.tensor), isTransposed: tiedTo.transpose === true };
    const root = this.rootOf(source);
    if (root.name === name) {
      throw new CheckpointError(
        'CYCLE',
        `${quoted(name)} would be tied to itself`,
        'Correct its tiedTo in the recipe.',
      );
    }
    const before = this.sources.get(name);
    if (before === undefined) {
      this.sources.set(name, source);
      return true;
    }
    const there = this.rootOf(before);
    if (there.name === root.name && there.isTransposed === root.isTransposed) return false;
    throw new CheckpointError(
      'CONFLICT',
      `${quoted(name)} is tied to ${textOf(there)} already, and the recipe ties it to ${textOf(root)}`,
      'Leave the tie out of the recipe.',
    );
  }

  /** Returns the source of a tied tensor, or undefined. */
  sourceOf(name: string): string | undefined {
    return this.sources.get(name)?.name;
  }

  /** Returns the tied tensors of each tensor that is read in the end. */
  groups(): Map<string, TiedName[]> {
    const groups = new Map<string, TiedName[]>();
    for (const [name, source] of this.sources) {
      const root = this.rootOf(source);
      groups.set(root.name, [...(groups.get(root.name) ?? []), { name, isTransposed: root.isTransposed }]);
    }
    return groups;
  }

  private rootOf(source: TiedName): TiedName {
    let at = source;
    for (let next = this.sources.get(at.name); next !== undefined; next = this.sources.get(at.name)) {
      at = { name: next.name, isTransposed: next.isTransposed !== at.isTransposed };
    }
    return at;
  }
}

const textOf = ({ name, isTransposed }: TiedName): string =>
  `${isTransposed ? 'the transpose of ' : ''}${quoted(name)}`;
