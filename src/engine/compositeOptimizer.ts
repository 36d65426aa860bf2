import type { NamedTensorMap, Scalar, Tensor, Variable } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { checkBefore, checkStep, type Gradients, refuseStep } from './optimizerGuard.ts';
import { isComputing } from './optimizerOwners.ts';
import { leavesOf, type OptimizerParts, PARTS, type Part } from './optimizerParts.ts';
import { variableNamed } from './variable.ts';

/** The gradients of a step by the names of their variables; absent or null for a variable without a gradient. */
export type GradientsByName = ReadonlyMap<string, Tensor | null | undefined>;

/** An optimizer that passes its gradients to other optimizers. A step that one of them refuses changes nothing. */
export abstract class CompositeOptimizer extends tf.Optimizer {
  abstract readonly [PARTS]: OptimizerParts;

  /** Passes the gradients to the parts. Tensors that it makes are disposed afterwards. */
  protected abstract step(gradients: GradientsByName, parts: readonly Part[]): void;

  override minimize(loss: () => Scalar, returnCost?: boolean, variables?: Variable[]): Scalar | null {
    // The check runs before the loss, because a forward pass may write buffers and a refused step must change nothing.
    if (isComputing()) for (const [leaf, own] of leavesOf(this, variables ?? null)) checkBefore(leaf, own);
    return super.minimize(loss, returnCost, variables);
  }

  applyGradients(gradients: Gradients): void {
    const byName = new Map<string, Tensor | null | undefined>(
      Array.isArray(gradients)
        ? gradients.map(({ name, tensor }) => [name, tensor])
        : Object.entries(gradients as NamedTensorMap),
    );
    const variables = [...byName.keys()].map(variableNamed).filter((variable) => variable !== undefined);
    const parts = refuseStep(gradients, () => {
      const own = this[PARTS].ofStep(variables);
      for (const [leaf, list] of own.flatMap(([part, its]) => leavesOf(part, its))) checkStep(leaf, list!);
      return own;
    });
    tf.tidy(() => this.step(byName, parts));
    this.incrementIterations();
  }

  override dispose(): void {
    for (const optimizer of this[PARTS].optimizers) optimizer.dispose();
  }
}

/**
 * Returns the gradients of some variables as `applyGradients` takes them. Variables without a gradient keep their
 * positions.
 */
export const gradientsOf = (
  variables: readonly Variable[],
  gradients: GradientsByName,
): { name: string; tensor: Tensor }[] =>
  variables.map(({ name }) => ({ name, tensor: gradients.get(name) as Tensor }));
