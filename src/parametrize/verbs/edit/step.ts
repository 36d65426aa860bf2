import { refusal } from '../../../core/errors.ts';
import { didYouMean, typeName } from '../../../core/text.ts';
import { rawOf } from '../../../nn/module/rawOf.ts';
import type { ParametrizationList } from '../../chain/parametrizationList.ts';
import { definitionOf } from '../../definition.ts';
import type { ParametrizationLike } from '../../parametrization.ts';

/**
 * A step of a chain: its index, which counts from the end if it is negative; the registered parametrization; its class;
 * or its kind, which is the name of its registration function: `'weightNorm'`.
 */
export type Step = number | string | ParametrizationLike | (abstract new (...args: never[]) => object);

/**
 * Returns the index of a step.
 *
 * @throws {@link ParametrizeError} `OPTION` if the chain has no such step, or several
 */
export function stepIndex(caller: string, list: ParametrizationList, step: Step): number {
  const found = stepIndices(list, step);
  if (found.length === 1) return found[0]!;
  const kinds = [...list].flatMap((registered) => definitionOf(registered)?.name ?? []);
  const meant = typeof step === 'string' ? didYouMean(step, kinds) : '';
  throw refusal(
    'OPTION',
    caller,
    found.length === 0
      ? `${list.label} has no step ${stepText(step)}`
      : `${found.length} steps of ${list.label} are ${stepText(step)}`,
    `${meant} It has: ${stepsText(list)}.${found.length > 1 ? ' Pass an index.' : ''}`.trim(),
  );
}

/** Returns the indices of all steps of a chain that a {@link Step} names; none if the chain has no such step. */
export function stepIndices(list: ParametrizationList, step: Step): number[] {
  if (typeof step === 'number') {
    const index = step < 0 ? step + list.length : step;
    return index in list.steps ? [index] : [];
  }
  return [...list].flatMap((registered, index) => (isStep(registered, step) ? [index] : []));
}

function isStep(registered: ParametrizationLike, step: Exclude<Step, number>): boolean {
  if (typeof step === 'string') return definitionOf(registered)?.name === step;
  if (typeof step === 'function') {
    return registered === step || (typeof step.prototype === 'object' && registered instanceof step);
  }
  return typeof step === 'object' && step !== null && registered === rawOf(step);
}

/** Formats a step for messages: `2`, `'weightNorm'`, `Scaled`. */
export function stepText(step: Step): string {
  if (typeof step === 'number') return String(step);
  if (typeof step === 'function') return step.name || 'a function';
  return typeof step === 'string' ? `'${step}'` : typeName(step);
}

/** Formats the steps of a chain: `0: 'weightNorm', 1: Scaled, 2: function tanh`. */
const stepsText = (list: ParametrizationList): string =>
  [...list]
    .map((registered, index) => {
      const kind = definitionOf(registered)?.name;
      return `${index}: ${kind === undefined ? typeName(registered) : `'${kind}'`}`;
    })
    .join(', ');
