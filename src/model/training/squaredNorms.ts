import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import type { ParametrizeError } from '../../core/errors.ts';
import { type TensorTie, tieOf } from '../../nn/module/normalizedTensor.ts';
import { checkModel } from '../checkModel.ts';
import { candidatesOf } from '../select/candidate.ts';
import { checkSelector, unmatchedSelector } from '../select/parameterSelector.ts';
import { select } from '../select/select.ts';
import { type Selector, selectorKeys } from '../select/selector.ts';

/** True for a tied tensor whose source is counted, too. */
function isTiedTo(list: object | null, isCounted: (tie: TensorTie) => boolean): boolean {
  const tie = tieOf(list);
  return tie !== undefined && isCounted(tie);
}

/**
 * The sum of the squares of the elements of weights, for the loss: `Σ ‖W‖²`, W as the model computes with it.
 *
 * A tensor that is tied to a selected one counts once.
 *
 * On weight normalization it is `Σ g²`, a penalty on the norms alone. The decay of v would change no weight.
 *
 * @remarks
 * **Gradient**: with respect to all originals, through the parametrizations, of any order.
 *
 * **Ownership**: the scalar is the caller's, as any op's result.
 *
 * @param selector - the tensors; default the main weight of every layer that has one. Name others: `{ name: '*' }`
 * @throws {@link ParametrizeError} `UNSUPPORTED_HOST`, `OPTION`, `PATTERN`; `UNMATCHED_RULE` if a condition matches
 * nothing
 * @example
 * ```ts
 * minimize(optimizer, () => tf.add(lossOf(model), tf.mul(1e-4, squaredNorms(model))), model);
 * ```
 */
export function squaredNorms(model: object, selector: Selector = {}): Scalar {
  const caller = 'squaredNorms';
  checkModel(caller, model);
  checkSelector(caller, selector, selectorKeys);
  const { selected, unmatched } = select(caller, candidatesOf(caller, model), selector, 'main');
  if (unmatched.length > 0) throw unmatchedSelector(caller, unmatched);
  return tf.tidy(() => {
    const isThere = (tie: TensorTie): boolean =>
      selected.some(({ host, tensor }) => host === tie.host && tensor === tie.name);
    const squares = selected
      .filter(({ dtype, list }) => dtype === 'float32' && !isTiedTo(list, isThere))
      .map(({ list, variable }): Tensor => tf.sum(tf.square(list?.read() ?? variable!)));
    return squares.length === 0 ? tf.scalar(0) : (tf.addN(squares) as Scalar);
  });
}
