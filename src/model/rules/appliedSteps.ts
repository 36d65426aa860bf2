import type { ParametrizationList } from '../../parametrize/chain/parametrizationList.ts';
import type { ParametrizationLike } from '../../parametrize/parametrization.ts';

/** How a step was registered by a rule. */
interface AppliedStep {
  readonly registered: ParametrizationLike;
  readonly apply: unknown;
  readonly options: string;
}

/** The steps that rules have registered, by their list: so that a function without a definition is known again. */
const applied = new WeakMap<ParametrizationList, AppliedStep[]>();

/** Notes that a rule has registered a step. */
export function noteApplied(
  list: ParametrizationList,
  registered: ParametrizationLike,
  { apply, options }: { readonly apply: unknown; readonly options: object },
): void {
  const steps = applied.get(list) ?? [];
  applied.set(list, [...steps, { registered, apply, options: JSON.stringify(options) }]);
}

/** True if a rule has registered a step by a function, with equal options, or with whatever options for null. */
export function appliedBefore(
  { list }: { readonly list: ParametrizationList | null },
  registered: ParametrizationLike,
  { apply, options }: { readonly apply: unknown; readonly options: object | null },
): boolean {
  const steps = (list && applied.get(list)) ?? [];
  return steps.some(
    (step) =>
      step.registered === registered &&
      step.apply === apply &&
      (options === null || step.options === JSON.stringify(options)),
  );
}
