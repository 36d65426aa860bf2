import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { idOf, type MergedKeys, type TiedKeys } from '../stateDict/tiedKeys.ts';
import { type StateDictTensor, stateDictTensors } from './stateDictTensor.ts';

/**
 * Moves the values of tied tensors with another order of elements, in any key format, to the plain keys of their
 * sources. A value of another shape stays.
 *
 * @param merged - the keys of values that were moved before; the others are added
 */
export function mergeConverted(
  state: Map<string, Tensor>,
  ties: TiedKeys,
  isSame: (a: Tensor, b: Tensor) => boolean,
  { origins, conflicts }: MergedKeys,
): void {
  for (const { tensor, source, convert } of ties.converted) {
    const [stored, ...more] = completeIn(state, tensor);
    if (stored === undefined || more.length > 0) continue;
    const moved = convert(stored.value());
    if (moved === undefined) continue;
    const keys = stored.keys.map((key) => tensor.prefix + key);
    for (const key of keys) state.delete(key);
    const [from] = keys.map((key) => origins.get(key) ?? key) as [string];
    const to = ties.firstOf(idOf(source));
    const dot = to.lastIndexOf('.') + 1;
    const [other] = completeIn(state, { prefix: to.slice(0, dot), name: to.slice(dot) });
    if (other === undefined) {
      state.set(to, moved);
      origins.set(to, from);
    } else if (!isSame(other.value(), moved)) {
      const [key] = other.keys.map((part) => to.slice(0, dot) + part) as [string];
      conflicts.push([origins.get(key) ?? key, from]);
    }
  }
}

/** Returns the values of a tensor in every key format whose parts are all there and fit each other. */
function completeIn(
  state: ReadonlyMap<string, Tensor>,
  { prefix, name }: { readonly prefix: string; readonly name: string },
): StateDictTensor[] {
  const usable = [...state].filter(
    ([key, value]: [string, unknown]) =>
      key.startsWith(prefix) && value instanceof tf.Tensor && !value.isDisposed,
  );
  return stateDictTensors(new Map(usable), prefix, name, {}).filter(
    ({ hookKeys, parts }) => hookKeys === null || hookKeys.fits(parts),
  );
}
