import { refusal } from '../../core/errors.ts';
import { isObject } from '../../core/guards.ts';
import { typeName } from '../../core/text.ts';
import { isLayer } from '../../engine/layer.ts';
import { isModule } from '../../nn/module/fields.ts';
import { stateKindOf } from '../../stateDict/modelState.ts';

/**
 * Refuses models that have no state dict, and those of tf.layers as long as nothing here knows them.
 *
 * @throws {@link ParametrizeError} `UNSUPPORTED_HOST`
 */
export function checkModel(caller: string, model: unknown): void {
  if (isModule(model) || stateKindOf(model) !== undefined) return;
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
