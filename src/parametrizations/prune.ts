import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { refusal } from '../core/errors.ts';
import { formatShape } from '../core/shapes.ts';
import { assignFields } from '../nn/module/assignFields.ts';
import { buffer } from '../nn/module/parameter.ts';
import { pruningKeys } from '../nn/stateDict/pruningKeys.ts';
import { shareOfZeros } from '../ops/shareOfZeros.ts';
import { defineParametrization } from '../parametrize/define.ts';
import { Parametrization } from '../parametrize/parametrization.ts';
import { checkPruneOptions } from './masks/checkPruneOptions.ts';
import { nextMask } from './masks/nextMask.ts';
import { type PruneOptions, pruneOptions } from './masks/pruneOptions.ts';

/**
 * Hides elements of a weight by a mask of zeros and ones: `W = X ⊙ mask`.
 *
 * @remarks
 * **Shape**: X, W, mask: S.
 * **State**: `original` = X; buffer `mask`.
 * **Gradient**: `∂L/∂X = ∂L/∂W ⊙ mask`, so a hidden element has no gradient; of second and higher order zero, because
 * the map is linear. An optimizer with momentum may still move the original of a hidden element.
 * **Ownership**: the instance owns the mask; `dispose()` frees it. A removal disposes an instance that {@link prune}
 * made.
 *
 * An assignment writes all elements of the original, also the hidden ones. On backends that have the numbers in the
 * memory of the process (cpu, wasm), the printed map shows the share of hidden elements.
 *
 * @throws {@link ParametrizeError} `DTYPE`, `SHAPE` for a tensor that the mask does not fit
 * @see torch.nn.utils.prune
 */
export class Prune extends Parametrization {
  /** The mask: 0 for each hidden element, else 1. An assigned tensor is copied. */
  mask: Tensor;

  /** @param mask - the mask, which is consumed, or a function that makes it */
  constructor(mask: Tensor | (() => Tensor)) {
    super();
    this.mask = buffer(mask);
  }

  override forward(X: Tensor): Tensor {
    if (!tf.util.arraysEqual(X.shape, this.mask.shape)) {
      throw refusal(
        'SHAPE',
        'prune',
        `the mask has shape ${formatShape(this.mask.shape)}, the tensor has shape ${formatShape(X.shape)}`,
        'Make a mask of the shape of the tensor.',
      );
    }
    return tf.mul(X, this.mask);
  }

  /** Returns the weight. Its hidden elements stay in the original. */
  override rightInverse(W: Tensor): Tensor {
    return W;
  }

  override isPure(): boolean {
    return true;
  }

  override extraRepr(): string {
    const share = (this.mask as Variable).isDisposed ? null : shareOfZeros(this.mask);
    return share === null ? '' : `sparsity=${Number(share.toPrecision(3))}`;
  }
}

/**
 * Hides elements of a weight by a mask; see {@link Prune}. Without an amount, the mask hides nothing.
 *
 * A second call for the same tensor changes the mask that is there: it hides further elements. The scores are those of
 * the current values, whatever the chain below the mask computes.
 *
 * @remarks
 * **Ownership**: `mask` and `scores` stay the caller's.
 *
 * No number of the weight is read. On webgl, `tf.topk` itself waits for the device.
 *
 * @throws {@link ParametrizeError} `OPTION` for options that contradict each other or do not fit the tensor, `SHAPE`,
 * `DISPOSED`; `DTYPE` for a tensor that is not float32; the errors of {@link registerParametrization}
 * @example
 * ```ts
 * prune(layer, { fraction: 0.5 });            // the half with the smallest absolute values
 * prune(layer, { fraction: 0.5 });            // a half of the rest: a quarter is left
 * prune(conv, { count: 4, dim: 0, norm: 1 }); // four output channels
 * prune(linear, { nOfM: [2, 4] });            // two of every four inputs stay
 * ```
 * @see torch.nn.utils.prune.l1_unstructured, random_unstructured, ln_structured, random_structured, custom_from_mask
 * @function
 */
export const prune = defineParametrization<Prune, PruneOptions>({
  name: 'prune',
  class: Prune,
  hasFixedFields: true,
  copies: 16,
  options: pruneOptions,
  check: checkPruneOptions,
  hookKeys: pruningKeys,
  make(target, options) {
    const { dtype } = target.value;
    if (dtype !== 'float32') {
      throw refusal('DTYPE', 'prune', `expected a float32 tensor, got ${dtype}`, 'Cast it first.');
    }
    return new Prune(() => nextMask('prune', target, null, options));
  },
  secondCall: {
    // The same amount hides further elements, so rules ask whether a second call is meant.
    plan: (_, options) => (Object.keys(options).length === 0 ? 'unchanged' : 'conflict'),
    change(map, options, target) {
      assignFields(map, { mask: nextMask('prune', target, map.mask, options) });
      // The values of the tensor stay, as at a removal.
      return () => {};
    },
  },
  // The mask is state: it is in the state dict, and an amount cannot tell it.
  config: () => ({}),
});
