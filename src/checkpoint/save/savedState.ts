import type { Module } from '../../nn/module/module.ts';
import type { KeyFormat } from '../../nn/stateDict/keyFormat.ts';
import { stateSnapshot } from '../../stateDict/stateSnapshot.ts';
import type { SavedState, StatefulModel, StateView } from '../../stateDict/stateView.ts';
import { tensorRecipes } from '../../stateDict/tensorRecipes.ts';
import { TorchStateView } from '../../stateDict/torchStateView.ts';

/**
 * Copies the state of a model, in one key format if one is given.
 *
 * @param view - the view of the model
 */
export function savedState(
  view: StateView | TorchStateView,
  model: StatefulModel,
  keyFormat: KeyFormat | undefined,
): SavedState {
  if (view instanceof TorchStateView) return view.save(keyFormat);
  const module = model as Module;
  return { tensors: stateSnapshot(module, keyFormat), recipe: tensorRecipes(module) };
}
