import type { Variable } from '@tensorflow/tfjs-core';
import { ParametrizeError } from '../core/errors.ts';
import { joinPath } from '../core/paths.ts';
import { didYouMean } from '../core/text.ts';
import { isAlive, isVariable } from '../engine/variable.ts';
import type { ParametrizationList } from '../parametrize/chain/parametrizationList.ts';
import { registrationOf } from '../parametrize/chain/registry.ts';
import { definitionOf } from '../parametrize/definition.ts';
import { addedHostKindOf } from '../parametrize/host/hostKind.ts';
import { undoable } from '../parametrize/transaction.ts';
import type { TensorRecipe } from './recipe.ts';

/** Returns the variable of an original; undefined for another name, and for an original that is computed itself. */
function originalOf(list: ParametrizationList, name: string): Variable | undefined {
  if (!(list.originalNames as readonly string[]).includes(name)) return undefined;
  const value: unknown = Object.getOwnPropertyDescriptor(list, name)?.value;
  return isVariable(value) ? value : undefined;
}

/**
 * Returns the originals of a chain that are not trained, as an entry of a recipe has them. Originals that the
 * definition of the first map freezes, or a map that freezes its base, are left out.
 *
 * @returns no field if there are none
 */
export function frozenOriginals(list: ParametrizationList): Pick<TensorRecipe, 'frozen'> {
  const defined = Object.values(definitionOf(list[0])?.originals ?? {});
  const frozen = list.originalNames.filter(
    (name, i) => isFrozen(list, originalOf(list, name)) && defined[i]?.trainable !== false,
  );
  return frozen.length === 0 ? {} : { frozen };
}

/** True for an original that is not trained, and would not be without the maps that freeze their base. */
const isFrozen = ({ frozenBase }: ParametrizationList, original: Variable | undefined): boolean =>
  original !== undefined && !(frozenBase.get(original) ?? original.trainable);

/**
 * Freezes the originals that an entry of a recipe lists. The open transaction can undo it.
 *
 * @returns a function that lets the originals train again that were trained before
 * @throws {@link ParametrizeError} `UNKNOWN_RECIPE` if the chain has no such original; nothing changes then
 */
export function freezeOriginals(
  host: object,
  tensor: string,
  { path, frozen = [] }: Pick<TensorRecipe, 'path' | 'frozen'>,
  caller?: string,
): () => void {
  const list = registrationOf(host, tensor)?.list;
  const originals = frozen.map((name): Variable => {
    const original = list && originalOf(list, name);
    if (original !== undefined) return original;
    const known = list?.originalNames ?? [];
    throw new ParametrizeError('UNKNOWN_RECIPE', {
      caller,
      fact: `the recipe freezes '${name}' of '${joinPath(path, tensor)}', whose originals are ${known.join(', ') || 'none'}`,
      remedy: `${didYouMean(name, known)} Correct the name, or leave it out of frozen.`.trimStart(),
    });
  });
  const trained = originals.filter((variable) => !isFrozen(list!, variable));
  const set = (trainable: boolean): void => {
    for (const variable of trained) {
      if (!isAlive(variable)) continue;
      if (list!.frozenBase.has(variable)) {
        list!.frozenBase.set(variable, trainable);
        continue;
      }
      variable.trainable = trainable;
      addedHostKindOf(host)?.trained?.(host, variable, trainable);
    }
  };
  set(false);
  const unfreeze = (): void => set(true);
  if (trained.length > 0) undoable(unfreeze);
  return unfreeze;
}
