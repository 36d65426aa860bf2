import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import { ParametrizeError } from '../../core/errors.ts';
import { alias } from '../../engine/scope.ts';
import type { ParametrizationList } from './parametrizationList.ts';
import { registrationOf } from './registry.ts';
import { checkSpec, describeValue, invertFirst, invertLater, isTensor, stepName } from './rightInverse.ts';

/**
 * Finds what the originals have to be for the chain to give `value`, back through the right inverses; writes nothing,
 * so that an assignment is all or nothing (law L5).
 *
 * @returns each variable with its new value; originals that are parametrized themselves give those of their own chains
 * @throws {@link ParametrizeError} `NOT_A_VARIABLE`, `SHAPE`, `DTYPE`, `RIGHT_INVERSE`, `DISPOSED`
 */
export function planAssignment(
  caller: string,
  list: ParametrizationList,
  value: unknown,
): [Variable, Tensor][] {
  const { chain } = list;
  if (!isTensor(value)) {
    throw new ParametrizeError('NOT_A_VARIABLE', {
      caller,
      fact: `expected a tensor, got ${describeValue(value)}`,
    });
  }
  chain.checkAlive();
  checkSpec(caller, 'the value', value, chain, 'Assign a tensor like the current value.');
  const [first, ...later] = chain.steps;
  for (const step of chain.steps) {
    if (step.rightInverse !== null) continue;
    throw new ParametrizeError('RIGHT_INVERSE', {
      caller,
      fact: `${stepName(step)} has no rightInverse`,
      remedy: 'Add one, or write to the originals: host.parametrizations[name].original.',
    });
  }
  // An alias, so that a right inverse cannot harm the caller's tensor.
  const image = later.reduceRight((current, step) => invertLater(caller, step, current), alias(value));
  const originals = [invertFirst(caller, first!, image)].flat();
  if (originals.length !== chain.originalNames.length) {
    throw new ParametrizeError('RIGHT_INVERSE', {
      caller,
      fact: `rightInverse of ${stepName(first!)} returned ${originals.length} tensor(s), but there are ${chain.originalNames.length} originals`,
    });
  }
  return chain.originalNames.flatMap((name, i): [Variable, Tensor][] => {
    const original = originals[i]!;
    const nested = registrationOf(list, name);
    if (nested !== undefined) return planAssignment(caller, nested.list, original);
    const variable = (list as unknown as Record<string, Variable>)[name]!;
    const what = `what rightInverse returned for ${name}`;
    checkSpec(caller, what, original, variable, 'Return it like the original.');
    return [[variable, original]];
  });
}
