import { refusal } from '../../core/errors.ts';
import { isRecord } from '../../core/guards.ts';
import { typeName } from '../../core/text.ts';
import { adapterSteps, checkNames } from './adapterSteps.ts';

/** The adapters that are to be active: one name, weights by name, or null for none. */
export type ActiveAdapters = string | Readonly<Record<string, number>> | null;

/**
 * Makes adapters of a whole model active, and no others. Cached values become stale.
 *
 * The value of a weight is `W + Σ weight · scaling · B·A` over the active adapters that it has. Only these get
 * gradients. Variables and state dicts stay as they are.
 *
 * @param model - a module, a layer or model of tf.layers, or an object with parametrized tensors
 * @param active - the name of one adapter; an object with the weight of each; null for the model without adapters
 * @returns the model
 * @throws {@link ParametrizeError} `OPTION` for a name that no weight of the model has, for a weight that is not
 * finite, and for several adapters of a `dora`; `UNSUPPORTED_HOST`. Nothing changes then.
 * @example
 * ```ts
 * setAdapters(model, 'digits');
 * setAdapters(model, { digits: 0.7, letters: -0.3 });
 * setAdapters(model, null);
 * ```
 */
export function setAdapters<M extends object>(model: M, active: ActiveAdapters): M {
  const caller = 'setAdapters';
  const weights = weightsIn(caller, active);
  const steps = adapterSteps(caller, model);
  checkNames(caller, steps, Object.keys(weights));
  const planned = steps.map(({ map }) => {
    const own = map.adapterNames.filter((name) => Object.hasOwn(weights, name));
    const active = Object.fromEntries(own.map((name) => [name, weights[name]!]));
    map.checkActive(active);
    return { map, active };
  });
  for (const { map, active } of planned) map.active = active;
  return model;
}

function weightsIn(caller: string, active: unknown): Readonly<Record<string, number>> {
  if (active === null) return {};
  if (typeof active === 'string') return { [active]: 1 };
  if (isRecord(active)) return active as Record<string, number>;
  throw refusal(
    'OPTION',
    caller,
    `the active adapters are ${typeName(active)}`,
    "Pass a name, an object with weights by name, or null: 'digits', { digits: 0.7 }.",
  );
}
