import { patchMethod } from '../../core/patchMethod.ts';
import type { Layer } from '../../engine/layer.ts';
import { recording } from '../../engine/tape.ts';
import type { ParametrizationList } from '../../parametrize/chain/parametrizationList.ts';

const listsOf = new WeakMap<Layer, Set<ParametrizationList>>();

/**
 * Makes a chain follow the mode of its layer. The chain is in training mode while the layer computes with
 * `{ training: true }`, as in `fit`, or without a mode while a gradient is recorded. At all other times it is in eval
 * mode.
 *
 * Layers have no mode; tfjs passes it with every call. If a custom training loop forgot the mode and the power
 * iteration stood still, the constraint would drift. So a recorded gradient counts as training.
 */
export function enterMode(layer: Layer, list: ParametrizationList): void {
  const lists = listsOf.get(layer);
  if (lists !== undefined) {
    lists.add(list);
    return;
  }
  const entered = new Set([list]);
  listsOf.set(layer, entered);
  const restore = patchMethod(layer, 'call', (call) => (inputs, kwargs) => {
    const { training = recording() !== 'idle' } = (kwargs ?? {}) as { training?: unknown };
    if (training !== true) return call.call(layer, inputs, kwargs);
    setTraining(entered, true);
    try {
      return call.call(layer, inputs, kwargs);
    } finally {
      setTraining(entered, false);
    }
  });
  restoreCall.set(layer, restore);
}

const restoreCall = new WeakMap<Layer, () => void>();

/** Undoes {@link enterMode}. Returns a function that enters again, with the same method of the layer. */
export function leaveMode(layer: Layer, list: ParametrizationList): () => void {
  const lists = listsOf.get(layer)!;
  const call = Object.getOwnPropertyDescriptor(layer, 'call')!;
  lists.delete(list);
  const isLast = lists.size === 0;
  if (isLast) {
    listsOf.delete(layer);
    restoreCall.get(layer)!();
  }
  return () => {
    lists.add(list);
    if (!isLast) return;
    listsOf.set(layer, lists);
    Object.defineProperty(layer, 'call', call);
  };
}

function setTraining(lists: Iterable<ParametrizationList>, training: boolean): void {
  for (const list of lists) list.train(training);
}
