import type { Tensor } from '@tensorflow/tfjs-core';
import { alias } from '../../../engine/scope.ts';
import { recordInputs } from '../../../engine/tape.ts';
import { isVariable } from '../../../engine/variable.ts';
import type { ChainStep } from '../../chain/chainStep.ts';
import { checkArity, checkHiddenDependencies } from '../../chain/dependencyChecks.ts';
import { preservingState } from '../../chain/moduleState.ts';
import type { ParametrizationList } from '../../chain/parametrizationList.ts';
import { notATensor } from '../../chain/readErrors.ts';
import { checkSpec, isTensor, specOf, type TensorSpec } from '../../chain/rightInverse.ts';
import { warnAboutNaN } from '../warnAboutNaN.ts';

/**
 * Evaluates one step on values, with the checks that need an evaluation. States and modes are restored.
 *
 * @param current - the value of the tensor without the step
 * @param then - further checks on the result before it is disposed
 * @returns the shape and dtype of the result
 */
export function tryStep(
  caller: string,
  list: ParametrizationList,
  step: ChainStep,
  given: readonly Tensor[],
  current: Tensor,
  then: (result: Tensor) => void = () => {},
): TensorSpec {
  // Aliases protect the values from a forward that disposes its arguments.
  const values = given.map((value) => alias(value));
  let spec: TensorSpec | undefined;
  const reached = new Set<Tensor>();
  list.guard(() =>
    preservingState(step.module?.modules() ?? [], () => {
      let result: unknown;
      const inputs = recordInputs(() => {
        if (step.arity > values.length) checkArity(caller, step, values, null);
        result = step.forward(...values);
        if (!isTensor(result)) throw notATensor(caller, step, result);
        if (isVariable(result)) reached.add(result);
        spec = specOf(result);
        warnAboutNaN(caller, list.label, step, current, result);
        then(result);
      });
      for (const input of inputs ?? []) reached.add(input);
      checkArity(caller, step, values, inputs);
    }),
  );
  checkHiddenDependencies(caller, step, reached, list.ownVariables());
  return spec!;
}

/** Throws unless the value of a parametrization has the shape and dtype of the tensor. */
export function checkUnchanged(caller: string, got: TensorSpec, wanted: TensorSpec): void {
  const remedy =
    'A parametrization may change neither dtype nor shape of the tensor, unless { unsafe: true }.';
  checkSpec(caller, 'the value of forward', got, wanted, remedy);
}
