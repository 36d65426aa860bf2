import { checkBoolean, checkOptions } from '../../../core/checkOptions.ts';
import { refusal } from '../../../core/errors.ts';
import { scoped } from '../../../engine/scope.ts';
import type { ParametrizationList } from '../../chain/parametrizationList.ts';
import type { ParametrizationLike } from '../../parametrization.ts';
import { transaction } from '../../transaction.ts';
import type { RegisterOptions } from '../register.ts';
import { planInsertion } from './planSteps.ts';
import { siteToEdit } from './siteToEdit.ts';
import { type Step, stepIndex } from './step.ts';

/** The place of a new step in a chain: an index, or another step. */
export type InsertPosition =
  | {
      /** The index of the new step: 0 to the number of steps. */
      readonly at: number;
    }
  | {
      /** The step that follows the new one. */
      readonly before: Step;
    }
  | {
      /** The step that the new one follows. */
      readonly after: Step;
    };

/** Options of {@link insertParametrization}. */
export type InsertOptions = InsertPosition & RegisterOptions;

/**
 * Inserts a parametrization into the chain of a parametrized tensor.
 *
 * At index 0, the right inverse of the parametrization gives the new originals, so that weight normalization can come
 * under a mask, and the value stays. At a later place the originals stay, and the parametrization maps the value of the
 * steps before it.
 *
 * @remarks
 * **Shape**: kept, unless `unsafe`.
 * **State**: the keys of later steps move: `parametrizations.weight.0.…` becomes `parametrizations.weight.1.…`. At
 * index 0, the originals are those of the new step. An optimizer of a module needs {@link syncOptimizer} then, a
 * compiled model of tf.layers `syncModel`.
 * **Ownership**: the parametrization belongs to you, as with {@link registerParametrization}.
 *
 * @param host - the module, layer or object; or a `ParametrizationList`, for the chain of an original
 * @param name - a parametrized tensor
 * @param parametrization - as for {@link registerParametrization}
 * @param options - the place: `at`, an index from 0 to the number of steps, or `before` or `after` a {@link Step}
 * @returns the host
 * @throws {@link ParametrizeError} `NOT_PARAMETRIZED`; `OPTION` for a place that does not exist, that several steps
 * have, or that is before a step with several originals; `RIGHT_INVERSE`, `SHAPE`, `DTYPE`, `FORWARD_RESULT`,
 * `INVALID_PARAMETRIZATION`, `HIDDEN_DEPENDENCY`, `SHARED`, `ALREADY_PARAMETRIZED` for a tensor of the hook API,
 * `CONFLICT` inside of {@link without}, `UNSUPPORTED_HOST`, `IMMUTABLE_HOST`, `DISPOSED`, `OUT_OF_MEMORY`; and the
 * errors of the parametrization. Nothing changes then.
 * @example
 * ```ts
 * spectralNorm(layer);
 * insertParametrization(layer, 'weight', tf.tanh, { after: 'spectralNorm' });
 * ```
 */
export function insertParametrization<H extends object>(
  host: H,
  name: string,
  parametrization: ParametrizationLike,
  options: InsertOptions,
): H {
  const caller = 'insertParametrization';
  checkOptions(caller, options, ['at', 'before', 'after', 'unsafe']);
  const { unsafe = false } = options;
  checkBoolean(caller, 'unsafe', unsafe);
  const { site, list } = siteToEdit(caller, host, name);
  const index = indexOf(caller, list, options);
  scoped(caller, () => transaction(planInsertion(caller, site, parametrization, index, unsafe)));
  return host;
}

function indexOf(caller: string, list: ParametrizationList, place: InsertPosition): number {
  const { at, before, after }: Partial<Record<'before' | 'after', Step> & Record<'at', number>> = place;
  if ([at, before, after].filter((one) => one !== undefined).length !== 1) {
    throw refusal(
      'OPTION',
      caller,
      `the place in ${list.label} must be one of at, before and after`,
      'Pass { at: 0 }, or { before: step } or { after: step }.',
    );
  }
  if (before !== undefined) return stepIndex(caller, list, before);
  return after !== undefined ? stepIndex(caller, list, after) + 1 : at!;
}
