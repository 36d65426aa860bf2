import type { Tensor } from '@tensorflow/tfjs-core';
import { alias } from '../../engine/scope.ts';
import type { ParametrizationList } from './parametrizationList.ts';
import { registrationOf } from './registry.ts';

/**
 * Returns the value after the first steps of a chain, without side effects. It is owned like the result of an op.
 *
 * @param count - the number of steps. With 0 the value is the first original, which may be computed itself
 */
export function inspectAfter(list: ParametrizationList, count: number): Tensor {
  if (count > 0) return list.inspect(list.steps.slice(0, count));
  const nested = registrationOf(list, list.originalNames[0]!)?.list;
  return nested?.inspect() ?? alias(list.ownVariables()[0]! as Tensor);
}
