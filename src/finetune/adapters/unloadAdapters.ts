import { checkOptions } from '../../core/checkOptions.ts';
import { scoped } from '../../engine/scope.ts';
import { applyEach } from '../../model/rules/applyPlan.ts';
import { changeStep } from '../../parametrize/verbs/changeStep.ts';
import { planStepRemoval } from '../../parametrize/verbs/edit/planSteps.ts';
import { type AdapterStep, adapterSteps, checkNames } from './adapterSteps.ts';

/** Options of {@link unloadAdapters}. */
export interface UnloadOptions {
  /** The names of the adapters. Default: all. */
  readonly adapters?: readonly string[];
}

/**
 * Removes adapters of a whole model, and keeps its weights without them, bit for bit. A map without adapters is
 * removed, so that its base trains again as before. A compiled model of tf.layers is synced.
 *
 * @param model - as for {@link setAdapters}
 * @returns the paths of the weights that had one of the adapters
 * @throws {@link ParametrizeError} `OPTION` for a name that no weight has, `UNSUPPORTED_HOST`; the errors of
 * {@link removeParametrization}. Nothing changes then.
 */
export function unloadAdapters(model: object, options: UnloadOptions = {}): string[] {
  const caller = 'unloadAdapters';
  checkOptions(caller, options, ['adapters']);
  const steps = adapterSteps(caller, model);
  const { adapters } = options;
  if (adapters !== undefined) checkNames(caller, steps, adapters);
  const taken = steps
    .map((step) => ({
      step,
      names: step.map.adapterNames.filter((name) => adapters?.includes(name) !== false),
    }))
    .filter(({ step, names }) => names.length > 0 || step.map.adapterNames.length === 0);
  return applyEach(caller, model, taken, {
    labelOf: ({ step }) => `'${step.path}'`,
    apply: ({ step, names }) => {
      unload(caller, step, names);
      return step.path;
    },
  });
}

function unload(caller: string, { site, list, map }: AdapterStep, names: readonly string[]): void {
  if (names.length === map.adapterNames.length) {
    // The index may have changed, because a chain may have several of these maps.
    scoped(caller, () => planStepRemoval(caller, site, [...list].indexOf(map), 'originals')());
    return;
  }
  changeStep(caller, site, map, () => {
    map.removeAdapters(names);
    return () => {};
  });
}
