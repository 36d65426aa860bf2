import { refusal } from '../core/errors.ts';
import { isObject } from '../core/guards.ts';
import { typeName } from '../core/text.ts';
import { isLayer } from '../engine/layer.ts';
import { isModule } from '../nn/module/fields.ts';
import { ModuleStateView } from '../stateDict/moduleStateView.ts';
import { type StatefulModel, type StateKind, type StateView, stateKindOf } from '../stateDict/stateView.ts';

/**
 * Returns the view of the state of a model.
 *
 * @param viewFor - makes the view of a model that is not a module; a program without such models does not load its code
 * @throws {@link ParametrizeError} `UNSUPPORTED_HOST` for an object without a state dict, and for a model of tf.layers
 * before `tfjs-parametrize/layers` is imported
 */
export function viewOf<View>(
  caller: string,
  model: StatefulModel,
  viewFor: (kind: StateKind) => View,
): StateView | View {
  if (isModule(model)) return new ModuleStateView(model);
  const kind = stateKindOf(model);
  if (kind !== undefined) return viewFor(kind);
  throw refusal(
    'UNSUPPORTED_HOST',
    caller,
    `expected a module of tfjs-parametrize/nn or a model of tf.layers, got ${typeName(model)}`,
    remedyFor(model),
  );
}

function remedyFor(model: unknown): string {
  const has = (name: string): boolean => isObject(model) && name in model;
  if (isLayer(model)) {
    return "For models of tf.layers, import 'tfjs-parametrize/layers' first.";
  }
  if (has('modelUrl') && has('executeAsync')) {
    return 'The weights of a GraphModel are constants of a graph: load into the model that it was converted from, and convert that.';
  }
  return 'Read the tensors with readSafetensors or readTorch and set the weights yourself.';
}
