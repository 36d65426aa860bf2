import type { ParametrizeError } from '../../core/errors.ts';
import { isAlive } from '../../engine/variable.ts';
import { hostKindOf } from '../../parametrize/host/objectHost.ts';
import { checkModel } from '../checkModel.ts';
import { candidatesOf } from '../select/candidate.ts';
import type { ModelVariable } from '../select/modelVariables.ts';
import { checkSelector, type ParameterSelector, selectParameters } from '../select/parameterSelector.ts';

/** The parameters that {@link freeze} has frozen. */
export interface Frozen {
  /** The keys of the parameters that were trained before, in the order of the model. */
  readonly keys: readonly string[];
  /** Lets those train again; a second call does nothing. */
  unfreeze(): void;
}

/**
 * Freezes parameters of a model: optimizers leave them as they are.
 *
 * @remarks
 * **State**: `trainable` of the variables. Parameters that were frozen before stay frozen after `unfreeze`. What is
 * registered later on a frozen tensor is frozen too, as far as it takes the place of the tensor's variable. If a tensor
 * was trained at its registration, removal and {@link fold} let its variable train again: freeze it once more then.
 *
 * **Gradient**: none for a frozen parameter. An optimizer that is always given all parameters keeps their state.
 *
 * A model of tf.layers that is compiled while parameters are frozen leaves them out: compile it again after `unfreeze`.
 *
 * @param selector - the parameters; default all. A host means all of its tensors, a parametrized tensor all of its
 * originals
 * @throws {@link ParametrizeError} `UNSUPPORTED_HOST`, `OPTION`, `PATTERN`; `UNMATCHED_RULE` if a condition matches
 * nothing
 * @example
 * ```ts
 * const backbone = freeze(model, { match: 'backbone.**' });
 * train(model);
 * backbone.unfreeze();
 * ```
 */
export function freeze(model: object, selector: ParameterSelector = {}): Frozen {
  const caller = 'freeze';
  checkModel(caller, model);
  checkSelector(caller, selector);
  const selected = selectParameters(caller, candidatesOf(caller, model), selector);
  const once = new Map(selected.map((parameter) => [parameter.variable, parameter]));
  let frozen = [...once.values()].filter(({ variable }) => variable.trainable);
  const keys = frozen.map(({ key }) => key);
  for (const parameter of frozen) setTrainable(parameter, false);
  return {
    keys,
    unfreeze() {
      for (const parameter of frozen) if (isAlive(parameter.variable)) setTrainable(parameter, true);
      frozen = [];
    },
  };
}

function setTrainable({ candidate: { host }, variable }: ModelVariable, trainable: boolean): void {
  variable.trainable = trainable;
  hostKindOf(host).trained?.(host, variable, trainable);
}
