import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { checkBoolean, checkOptions } from '../../core/checkOptions.ts';
import { refusal } from '../../core/errors.ts';
import { pluralize } from '../../core/text.ts';
import { scoped } from '../../engine/scope.ts';
import { applyEach } from '../../model/rules/applyPlan.ts';
import { inspectAfter } from '../../parametrize/chain/inspectAfter.ts';
import { type AdapterStep, adapterSteps, checkNames } from './adapterSteps.ts';
import { type MergedStep, mergeStep } from './mergeStep.ts';

/** Options of {@link mergeAdapters}. */
export interface MergeOptions {
  /** The names of active adapters. Default: all active ones. */
  readonly adapters?: readonly string[];
  /** False to merge without a check that every merged number is finite. Default true. */
  readonly check?: boolean;
}

/** Adapters that {@link mergeAdapters} has merged. */
export interface MergedAdapters {
  /** The paths of the weights that had one of the adapters. */
  readonly paths: readonly string[];
  /**
   * Gives the model its adapters and its base back, bit for bit. A second call does nothing.
   *
   * @throws {@link ParametrizeError} `CONFLICT` if the chain of a weight has changed meanwhile. Nothing changes then.
   */
  unmerge(): void;
  /** Frees the adapters and the base, which can be given back no more. */
  dispose(): void;
}

/**
 * Makes the active adapters of a model a part of its weights. The values stay, and a weight without further adapters
 * and maps is a plain variable again, which trains as before. A map below the adapter that cannot have the merged
 * value, such as a mask or `fakeQuantize`, changes it. A compiled model of tf.layers is synced.
 *
 * @remarks
 * **Ownership**: the result holds the adapters, and the data of the base that it had before (no copy is made). Call
 * `unmerge()` or `dispose()` of it.
 *
 * @param model - as for {@link setAdapters}
 * @returns after the check of the numbers. If a weight changes meanwhile, the call checks it again
 * @throws {@link ParametrizeError} `NOT_FINITE` if a merged weight has NaN or infinity; `OPTION` for a name that is not
 * active; `UNSUPPORTED_HOST`; the errors of {@link removeParametrization}. Nothing changes then.
 * @example
 * ```ts
 * const merged = await mergeAdapters(model);
 * await saveCheckpoint(model, 'merged.safetensors');
 * merged.unmerge();
 * ```
 */
export async function mergeAdapters(model: object, options: MergeOptions = {}): Promise<MergedAdapters> {
  const caller = 'mergeAdapters';
  checkOptions(caller, options, ['adapters', 'check']);
  const { adapters, check = true } = options;
  checkBoolean(caller, 'check', check);
  for (;;) {
    const chosen = chosenSteps(caller, model, adapters);
    const before = check ? versionsOf(chosen) : [];
    if (check) await checkFinite(caller, chosen);
    if (check && !isSame(before, versionsOf(chosenSteps(caller, model, adapters)))) continue;
    const merged = applyEach(caller, model, chosen, {
      labelOf: ({ step }) => `'${step.path}'`,
      apply: ({ step, names }) => mergeStep(caller, step, names),
    });
    return resultOf(model, merged);
  }
}

/** A map with the names of the adapters that are merged. */
interface Chosen {
  readonly step: AdapterStep;
  readonly names: readonly string[];
}

function chosenSteps(caller: string, model: object, adapters: readonly string[] | undefined): Chosen[] {
  const steps = adapterSteps(caller, model);
  const activeIn = ({ map }: AdapterStep): string[] => Object.keys(map.active);
  if (adapters !== undefined) checkNames(caller, steps, adapters, activeIn, 'active adapter');
  return steps
    .map((step) => ({ step, names: activeIn(step).filter((name) => adapters?.includes(name) !== false) }))
    .filter(({ names }) => names.length > 0);
}

/** What the merged values depend on: the data of variables, and the weights of adapters. */
const versionsOf = (chosen: readonly Chosen[]): unknown[] =>
  chosen.flatMap(({ step: { list, map } }) => [
    ...[...list.parameters(), ...list.buffers()].map(({ dataId }) => dataId),
    JSON.stringify(map.active),
  ]);

const isSame = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  a.length === b.length && a.every((one, i) => one === b[i]);

async function checkFinite(caller: string, chosen: readonly Chosen[]): Promise<void> {
  const checks = scoped(caller, () =>
    chosen.map(({ step: { list, at } }) => tf.keep(tf.all(tf.isFinite(inspectAfter(list, at + 1))))),
  );
  try {
    const found = await Promise.all(checks.map(async (one: Tensor) => (await one.data())[0]));
    const bad = chosen.filter((_, i) => !found[i]).map(({ step }) => `'${step.path}'`);
    if (bad.length === 0) return;
    throw refusal(
      'NOT_FINITE',
      caller,
      `${pluralize(bad.length, 'merged weight')} would have NaN or infinity: ${bad.join(', ')}`,
      'Train the adapters anew with a smaller learning rate or alpha, or pass { check: false }.',
    );
  } finally {
    tf.dispose(checks);
  }
}

function resultOf(model: object, merged: readonly MergedStep[]): MergedAdapters {
  const caller = 'unmerge';
  let isOpen = true;
  const end = (): void => {
    isOpen = false;
    for (const one of merged) one.release();
  };
  return {
    paths: merged.map(({ path }) => path),
    unmerge() {
      if (!isOpen) return;
      applyEach(caller, model, [...merged].reverse(), {
        labelOf: ({ path }) => `'${path}'`,
        apply: (one) => one.unmerge(caller),
      });
      isOpen = false;
      for (const one of merged) one.free();
    },
    dispose() {
      if (isOpen) end();
    },
  };
}
