import type { ParametrizationList } from '../parametrize/chain/parametrizationList.ts';
import type { ParametrizationLike } from '../parametrize/parametrization.ts';

/** A call of a function that has registered steps of a chain, by a rule or by a recipe. */
export interface AppliedCall {
  /** The kind in recipes: the name of the function. */
  readonly kind: string;
  readonly apply: unknown;
  readonly options: Readonly<Record<string, unknown>>;
}

/** A call with the number of steps that it has registered. */
interface CountedCall extends AppliedCall {
  readonly count: number;
}

/** The calls by the steps that they registered, so that a function without a definition is known again. */
const calls = new WeakMap<ParametrizationList, Map<ParametrizationLike, CountedCall>>();

/** Notes that a call has registered steps. */
export function noteApplied(
  list: ParametrizationList,
  registered: readonly ParametrizationLike[],
  { kind, apply, options }: AppliedCall,
): void {
  const byStep = calls.get(list) ?? new Map<ParametrizationLike, CountedCall>();
  calls.set(list, byStep);
  const call: CountedCall = { kind, apply, options: { ...options }, count: registered.length };
  for (const one of registered) byStep.set(one, call);
}

/** Returns the call that has registered a step of a chain, or undefined. */
export const callOf = (
  list: ParametrizationList | null,
  registered: ParametrizationLike,
): CountedCall | undefined => (list === null ? undefined : calls.get(list)?.get(registered));

/** True if a function has registered a step, with equal options, or with any options for null. */
export function appliedBefore(
  list: ParametrizationList | null,
  registered: ParametrizationLike,
  { apply, options }: { readonly apply: unknown; readonly options: object | null },
): boolean {
  const call = callOf(list, registered);
  return call?.apply === apply && (options === null || isSameData(call?.options, options));
}

/** True if two values are the same as JSON; the order of keys does not matter. */
export function isSameData(a: unknown, b: unknown): boolean {
  return JSON.stringify(a, sorted) === JSON.stringify(b, sorted);
}

const sorted = (_key: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    : value;
