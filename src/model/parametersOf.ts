import type { Variable } from '@tensorflow/tfjs-core';
import { refusal } from '../core/errors.ts';
import { typeName } from '../core/text.ts';
import { isVariable } from '../engine/variable.ts';
import { Module } from '../nn/module/module.ts';
import { isBuffer } from '../nn/module/parameter.ts';
import { registrationsOf } from '../parametrize/chain/registry.ts';
import { addedHostKindOf } from '../parametrize/host/hostKind.ts';
import { hostKindOf } from '../parametrize/host/objectHost.ts';

/**
 * Returns the variables that are trained with a model, each once. The model is a module, a model of tf.layers, or an
 * object that holds variables and parametrized tensors.
 *
 * @throws {@link ParametrizeError} `UNSUPPORTED_HOST`, `DISPOSED`
 */
export function parametersOf(caller: string, model: object): Variable[] {
  if (typeof model !== 'object' || model === null) {
    throw refusal(
      'UNSUPPORTED_HOST',
      caller,
      `expected a module, a model of tf.layers or an object that holds variables, got ${typeName(model)}`,
    );
  }
  hostKindOf(model).check(caller, model);
  if (model instanceof Module) return model.parameters();
  const own = addedHostKindOf(model)?.parameters?.(model);
  if (own !== undefined) return [...own];
  const registered = registrationsOf(model);
  const variables = Object.getOwnPropertyNames(model).flatMap((name): Variable[] => {
    const list = registered.get(name)?.list;
    if (list !== undefined) return list.parameters();
    const value: unknown = Object.getOwnPropertyDescriptor(model, name)!.value;
    return isVariable(value) && !isBuffer(value) ? [value] : [];
  });
  return [...new Set(variables)];
}
