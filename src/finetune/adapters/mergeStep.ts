import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { refusal } from '../../core/errors.ts';
import { alias, scoped } from '../../engine/scope.ts';
import { disposeVariable, isAlive } from '../../engine/variable.ts';
import { namedState } from '../../nn/module/fields.ts';
import type { Adapters } from '../../parametrizations/adapters/adapters.ts';
import { inspectAfter } from '../../parametrize/chain/inspectAfter.ts';
import type { ParametrizationList } from '../../parametrize/chain/parametrizationList.ts';
import { giveToChains, registrationOf, takeFromChains } from '../../parametrize/chain/registry.ts';
import { siteOf } from '../../parametrize/host/site.ts';
import { undoable } from '../../parametrize/transaction.ts';
import { changeStep } from '../../parametrize/verbs/changeStep.ts';
import { invertTo } from '../../parametrize/verbs/edit/invertTo.ts';
import { planEdit } from '../../parametrize/verbs/edit/planEdit.ts';
import { planInsertion, planStepRemoval } from '../../parametrize/verbs/edit/planSteps.ts';
import { register } from '../../parametrize/verbs/register.ts';
import type { AdapterStep } from './adapterSteps.ts';

/** A map whose adapters were merged, or some of them. */
export interface MergedStep {
  readonly path: string;
  /** Gives the map its adapters and its base back. */
  unmerge(caller: string): void;
  /** Frees the adapters and the data of the base. */
  release(): void;
  /** Frees the data of the base only. */
  free(): void;
}

/**
 * Merges adapters of a map into what the map gets, in a transaction. The map is removed if no adapter is left.
 *
 * @throws {@link ParametrizeError} the errors of right inverses
 */
export function mergeStep(caller: string, step: AdapterStep, names: readonly string[]): MergedStep {
  const { map, list } = step;
  const values = holdValues(list);
  const merged =
    names.length === map.adapterNames.length ? mergeAll(caller, step) : mergeSome(caller, step, names);
  return {
    path: step.path,
    unmerge(caller) {
      merged.back(caller);
      const now = registrationOf(step.candidate.host, step.candidate.tensor)!.list;
      for (const [key, variable] of namedState(now)) {
        const value = values.get(key);
        if (value !== undefined) variable.assign(value as Tensor);
      }
    },
    release() {
      merged.release();
      tf.dispose([...values.values()]);
    },
    free: () => tf.dispose([...values.values()]),
  };
}

/** Holds the data of the variables of a chain, by their keys. A right inverse may write buffers, such as scales. */
function holdValues(list: ParametrizationList): Map<string, Tensor> {
  const values = new Map(
    namedState(list).map(([key, variable]) => [key, tf.keep(alias(variable as Tensor))] as const),
  );
  undoable(() => tf.dispose([...values.values()]));
  return values;
}

interface Merged {
  back(caller: string): void;
  release(): void;
}

function mergeAll(caller: string, { candidate: { host, tensor }, site, list, map }: AdapterStep): Merged {
  const at = [...list].indexOf(map);
  const others = [...list].filter((one) => one !== map);
  const disposeMap = takeFromChains(map);
  scoped(caller, () => planStepRemoval(caller, site, at, 'value')());
  return {
    back(caller) {
      const site = siteOf(host, tensor);
      const now = [...(site.registration?.list ?? [])];
      checkSame(caller, site.label, now.length === others.length && now.every((one, i) => one === others[i]));
      if (site.registration === undefined) register(caller, site, map);
      else scoped(caller, () => planInsertion(caller, site, map, at)());
      if (disposeMap !== undefined) giveToChains(map, disposeMap);
    },
    release: () => disposeMap?.(),
  };
}

function mergeSome(
  caller: string,
  { candidate: { host, tensor }, site, list, map }: AdapterStep,
  names: readonly string[],
): Merged {
  const kept = { ...map.active };
  const at = [...list].indexOf(map);
  const rest = map.adapterNames.filter((name) => !names.includes(name));
  let attach = (): void => {};
  let variables: readonly Variable[] = [];
  scoped(caller, () => {
    const value = valueWith(map, names, () => inspectAfter(list, at + 1));
    changeStep(caller, site, map, () => {
      ({ attach, variables } = map.detachAdapters(names));
      return () => {};
    });
    const invert = invertTo(caller, site.registration!, list.steps, at, value);
    planEdit(caller, site, { steps: list.steps, invert })();
  });
  return {
    back(caller) {
      const site = siteOf(host, tensor);
      // A merge of the other adapters has removed the list of the chain, and its unmerge has made another one.
      const isSame =
        [...(site.registration?.list ?? [])].indexOf(map) === at &&
        map.adapterNames.length === rest.length &&
        map.adapterNames.every((name, i) => name === rest[i]);
      checkSame(caller, site.label, isSame);
      changeStep(caller, site, map, () => {
        attach();
        map.active = kept;
        return () => {};
      });
    },
    release() {
      for (const variable of variables) if (isAlive(variable)) disposeVariable(variable);
    },
  };
}

/** Runs a function while only these active adapters of a map are active. */
function valueWith<T>(map: Adapters, names: readonly string[], fn: () => T): T {
  const { active } = map;
  map.active = Object.fromEntries(names.map((name) => [name, active[name]!]));
  try {
    return fn();
  } finally {
    map.active = active;
  }
}

function checkSame(caller: string, label: string, isSame: boolean): void {
  if (isSame) return;
  throw refusal(
    'CONFLICT',
    caller,
    `the parametrizations of ${label} have changed since its adapters were merged`,
    'Take these changes back first, or dispose() what was merged.',
  );
}
