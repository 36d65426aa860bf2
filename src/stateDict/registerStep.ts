import type { ParametrizationList } from '../parametrize/chain/parametrizationList.ts';
import { registrationOf } from '../parametrize/chain/registry.ts';
import type { ParametrizationLike } from '../parametrize/parametrization.ts';
import { type AppliedCall, noteApplied } from './appliedSteps.ts';
import type { Catalog } from './recipe.ts';

/** A step of a recipe or of a rule, with its function. */
export interface CatalogStep extends AppliedCall {
  readonly apply: Catalog[string];
}

/** The parametrizations that a call has registered. */
export interface RegisteredStep {
  /** Null if the tensor is not parametrized: the call has registered nothing. */
  readonly list: ParametrizationList | null;
  readonly registered: readonly ParametrizationLike[];
}

/**
 * Registers a step on a tensor and notes the call, so that a recipe knows the step again.
 *
 * @param run - registers the step; by default, a call of its function
 */
export function registerStep(
  host: object,
  tensor: string,
  call: CatalogStep,
  run: () => unknown = () => call.apply(host, tensor, { ...call.options }),
): RegisteredStep {
  const before = new Set(registrationOf(host, tensor)?.list);
  run();
  const list = registrationOf(host, tensor)?.list ?? null;
  const registered = [...(list ?? [])].filter((one) => !before.has(one));
  if (list !== null && registered.length > 0) noteApplied(list, registered, call);
  return { list, registered };
}

/** Registers the steps of a recipe on a tensor; the catalog has their kinds. */
export function registerSteps(
  host: object,
  tensor: string,
  steps: readonly Omit<CatalogStep, 'apply'>[],
  catalog: Catalog,
): void {
  for (const { kind, options } of steps) registerStep(host, tensor, { kind, options, apply: catalog[kind]! });
}
