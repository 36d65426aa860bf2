import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import { refusal } from '../../core/errors.ts';
import { isVariable } from '../../engine/variable.ts';
import { variablesIn } from '../../nn/module/fields.ts';
import type { ChainStep } from './chainStep.ts';
import { stepName } from './rightInverse.ts';

/**
 * Throws if a forward uses an undeclared variable. A change of it could not be detected, so a read could be stale.
 *
 * @param inputs - the inputs of the operations of the forward
 * @param originals - the variables that will be the originals
 */
export function checkHiddenDependencies(
  caller: string,
  step: ChainStep,
  inputs: Iterable<Tensor>,
  originals: readonly Variable[],
): void {
  const own = step.module?.modules().flatMap(variablesIn) ?? [];
  const declared = new Set<Tensor>([...originals, ...step.dependencies, ...own]);
  const hidden = [...inputs].filter(
    (tensor): tensor is Variable => isVariable(tensor) && !declared.has(tensor),
  );
  if (hidden.length === 0) return;
  const names = hidden.map((variable) => `'${variable.name}' ${JSON.stringify(variable.shape)}`).join(', ');
  throw refusal(
    'HIDDEN_DEPENDENCY',
    caller,
    `forward of ${stepName(step)} uses the variable ${names}, which it does not name as a dependency`,
    'Make it a parameter() field of a Parametrization, or register { forward, dependencies: [variable] }.',
  );
}

/**
 * Throws if a forward takes another number of originals than there are. JavaScript does not count arguments. So a
 * missing original is found by the signature, and a surplus one by the signature and because the forward does not use
 * it.
 */
export function checkArity(
  caller: string,
  step: ChainStep,
  originals: readonly Tensor[],
  inputs: ReadonlySet<Tensor> | null,
): void {
  const { arity } = step;
  const surplus = originals.slice(arity).some((original) => inputs !== null && !inputs.has(original));
  if (arity <= originals.length && !(arity > 0 && surplus)) return;
  throw refusal(
    'RIGHT_INVERSE',
    caller,
    `forward of ${stepName(step)} takes ${arity} original(s), but rightInverse gives ${originals.length}`,
    'They must agree.',
  );
}

/** Throws if a later forward of a chain takes several originals. */
export function checkLaterArity(caller: string, step: ChainStep): void {
  if (step.arity <= 1) return;
  throw refusal(
    'RIGHT_INVERSE',
    caller,
    `forward of ${stepName(step)} takes ${step.arity} originals, but the tensor is parametrized already and only its first parametrization may have several`,
    'Remove that first, or parametrize one of its originals.',
  );
}
