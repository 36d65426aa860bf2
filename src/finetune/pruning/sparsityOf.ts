import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { checkOptions } from '../../core/checkOptions.ts';
import { formatShape, sizeOf } from '../../core/shapes.ts';
import { textTable } from '../../core/textTable.ts';
import { scoped } from '../../engine/scope.ts';
import { checkModel } from '../../model/checkModel.ts';
import { candidatesOf, tensorPath } from '../../model/select/candidate.ts';
import { unmatchedSelector } from '../../model/select/parameterSelector.ts';
import { select } from '../../model/select/select.ts';
import { type Selector, selectorKeys } from '../../model/select/selector.ts';
import { siteOf } from '../../parametrize/host/site.ts';

/** The zeros of one tensor. */
export interface TensorSparsity {
  /** The path of the host in the model; empty for the model itself. */
  readonly path: string;
  /** The name of the tensor in the host. */
  readonly tensor: string;
  /** The shape of the tensor. */
  readonly shape: readonly number[];
  /** The number of elements that are zero. */
  readonly zeros: number;
  /** `zeros` divided by the number of elements; 0 for a tensor without elements. */
  readonly sparsity: number;
}

/** The zeros of a model. Converted to a string, it is a table. */
export interface ModelSparsity {
  /** The tensors, in the order of the model. */
  readonly tensors: readonly TensorSparsity[];
  /** The number of elements of all tensors. */
  readonly elements: number;
  /** The number of elements that are zero. */
  readonly zeros: number;
  /** `zeros / elements`; 0 if there are no elements. */
  readonly sparsity: number;
  /** Returns the numbers as a table. */
  toString(): string;
}

/**
 * Counts the zeros in the values of tensors of a model, with masks or after {@link fold}.
 *
 * It waits for the numbers of zeros, not for the tensors. Values are computed without side effects. A selector without
 * a name takes the main weight of each host.
 *
 * @param model - a module, a layer or model of tf.layers, or an object that holds variables
 * @param selector - the tensors; default all main weights
 * @throws {@link ParametrizeError} `OPTION`, `PATTERN`, `UNSUPPORTED_HOST`; `UNMATCHED_RULE` if a condition matches
 * nothing
 * @example
 * ```ts
 * console.log(String(await sparsityOf(model)));
 * ```
 */
export async function sparsityOf(model: object, selector: Selector = {}): Promise<ModelSparsity> {
  const caller = 'sparsityOf';
  checkModel(caller, model);
  checkOptions(caller, selector, selectorKeys);
  const { selected, unmatched } = select(caller, candidatesOf(caller, model), selector, 'main');
  if (unmatched.length > 0) throw unmatchedSelector(caller, unmatched);
  const counts = scoped(caller, () =>
    selected.map(({ host, tensor }) =>
      tf.sum(tf.cast(tf.equal(siteOf(host, tensor).inspect(caller), 0), 'int32')),
    ),
  ) as Tensor[];
  const numbers = await Promise.all(counts.map((count) => count.data())).finally(() => tf.dispose(counts));
  const tensors = selected.map(({ path, tensor, shape }, i): TensorSparsity => {
    const zeros = numbers[i]![0]!;
    return { path, tensor, shape, zeros, sparsity: shareOf(zeros, sizeOf(shape)) };
  });
  const elements = tensors.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const zeros = tensors.reduce((sum, one) => sum + one.zeros, 0);
  const sparsity = shareOf(zeros, elements);
  return {
    tensors,
    elements,
    zeros,
    sparsity,
    toString: () =>
      textTable(
        [
          ['tensor', 'shape', 'zeros', 'sparsity'],
          ...selected.map((candidate, i) => [
            tensorPath(candidate),
            formatShape(candidate.shape),
            String(tensors[i]!.zeros),
            percent(tensors[i]!.sparsity),
          ]),
          ['all', '', String(zeros), percent(sparsity)],
        ],
        (column) => column > 1,
      ),
  };
}

const shareOf = (zeros: number, elements: number): number => (elements === 0 ? 0 : zeros / elements);

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
