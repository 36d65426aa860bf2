import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { checkOptions } from '../../core/checkOptions.ts';
import { ParametrizeError, refusal } from '../../core/errors.ts';
import { scoped } from '../../engine/scope.ts';
import { checkModel } from '../../model/checkModel.ts';
import { candidatesOf, tensorPath } from '../../model/select/candidate.ts';
import { unmatchedSelector } from '../../model/select/parameterSelector.ts';
import { select } from '../../model/select/select.ts';
import { type Selector, selectorKeys } from '../../model/select/selector.ts';
import { assignFields } from '../../nn/module/assignFields.ts';
import { tieOf } from '../../nn/module/normalizedTensor.ts';
import type { FakeQuantize } from '../../parametrizations/fakeQuantize.ts';
import { gridOver } from '../../parametrizations/quantization/observedGrid.ts';
import { inspectAfter } from '../../parametrize/chain/inspectAfter.ts';
import type { ParametrizationList } from '../../parametrize/chain/parametrizationList.ts';
import { transaction } from '../../parametrize/transaction.ts';
import { quantizerIn } from './currentGrids.ts';
import { percentilesOf } from './percentilesOf.ts';
import { scaleIndices } from './quantizedTensor.ts';

/** Options of {@link calibrate}. */
export interface CalibrateOptions extends Selector {
  /**
   * The percentile of the weights, of their absolute values if the map is symmetric, that is the end of the range;
   * larger ones are limited. Default 100, the extremes.
   */
  readonly percentile?: number;
}

interface Target {
  readonly path: string;
  readonly list: ParametrizationList;
  readonly map: FakeQuantize;
  /** The tensor that the map rounds. */
  readonly input: Tensor;
}

const caller = 'calibrate';

/**
 * Gives maps of `fakeQuantize` new scales and zero points from the weights that they round, as these are now. A
 * percentile below 100 gives most weights finer steps, and limits the largest.
 *
 * A scale that was {@link FakeQuantize.learned} begins anew. An observer goes on from the new extremes. A selector
 * without a name takes the main weights.
 *
 * @param model - a module, a layer or model of tf.layers, or an object that holds variables
 * @param options - the tensors, default all main weights with `fakeQuantize`, and the percentile
 * @throws {@link ParametrizeError} `OPTION`, `PATTERN`, `UNSUPPORTED_HOST`; `UNMATCHED_RULE` if a condition matches
 * nothing, or only tensors without `fakeQuantize`; `NOT_FINITE` for a weight with NaN or infinity; `STALE_PLAN` if a
 * map was removed meanwhile. Nothing changes then.
 * @example
 * ```ts
 * await calibrate(model, { percentile: 99.9 });
 * ```
 */
export async function calibrate(model: object, options: CalibrateOptions = {}): Promise<void> {
  checkModel(caller, model);
  checkOptions(caller, options, [...selectorKeys, 'percentile']);
  const { percentile = 100, ...selector } = options;
  if (!(Number.isFinite(percentile) && percentile > 50 && percentile <= 100)) {
    throw refusal(
      'OPTION',
      caller,
      `percentile is ${String(percentile)}, it must be a number above 50 and at most 100`,
    );
  }
  const targets = scoped(caller, () => targetsOf(model, selector));
  try {
    const numbers = await Promise.all(targets.map(({ input }) => input.data() as Promise<Float32Array>));
    for (const [i, { path }] of targets.entries()) {
      if (numbers[i]!.every(Number.isFinite)) continue;
      throw refusal(
        'NOT_FINITE',
        caller,
        `'${path}' has NaN or infinity`,
        'Restore an earlier state of the model.',
      );
    }
    scoped(caller, () =>
      transaction(() => {
        for (const [i, target] of targets.entries()) giveScale(target, numbers[i]!, percentile);
      }),
    );
  } finally {
    tf.dispose(targets.map(({ input }) => input));
  }
}

function targetsOf(model: object, selector: Selector): Target[] {
  const { selected, unmatched } = select(caller, candidatesOf(caller, model), selector, 'main');
  if (unmatched.length > 0) throw unmatchedSelector(caller, unmatched);
  const targets = selected.flatMap((candidate): Target[] => {
    const { list } = candidate;
    const map = tieOf(list) === undefined ? quantizerIn(list) : null;
    if (list === null || map === null) return [];
    const input = tf.keep(tf.clone(inspectAfter(list, [...list].indexOf(map))));
    return [{ path: tensorPath(candidate), list, map, input }];
  });
  if (targets.length === 0) throw unmatchedSelector(caller, ['no selected tensor has fakeQuantize']);
  return targets;
}

function giveScale({ path, list, map }: Target, numbers: Float32Array, percentile: number): void {
  if (![...list].includes(map)) {
    throw new ParametrizeError('STALE_PLAN', {
      caller,
      fact: `fakeQuantize of '${path}' was removed meanwhile`,
      remedy: 'Wait for calibrate before you change the chain.',
    });
  }
  const { layout, symmetric, range, scale, zero_point: point } = map;
  const indices = scaleIndices(layout.shape, layout.scalesAlong);
  const found = percentilesOf(numbers, indices, scale.size, percentile, symmetric);
  const extremes = {
    min: tf.tensor(found.min, scale.shape),
    max: tf.tensor(found.max, scale.shape),
  };
  const grid = gridOver(extremes, symmetric, range);
  assignFields(map, {
    scale: grid.scale,
    // A symmetric map keeps its zero point, which a learned scale has elsewhere.
    ...(!symmetric && { zero_point: tf.cast(grid.zeroPoint, point.dtype) }),
    ...(map.observer !== 'none' && { min_val: extremes.min, max_val: extremes.max }),
  });
}
