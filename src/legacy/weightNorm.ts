import type { Module } from '../nn/module/module.ts';
import { weightNormKeys } from '../nn/stateDict/weightNormKeys.ts';
import { WeightNorm } from '../parametrizations/weightNorm.ts';
import { definitionOf } from '../parametrize/definition.ts';
import type { PossibleHost } from '../parametrize/verbs/registerParametrization.ts';
import { addNormalization, type Hooked, removeNormalization, type WithTensor } from './hookApi.ts';

/**
 * Weight normalization with the names and the `dim` of torch's old hook API: `W = g · v / ‖v‖`.
 *
 * @remarks
 * **State**: `<name>_g` and `<name>_v` on the module, after its other parameters. `<name>_v` is the old variable of
 * `<name>`. A frozen variable stays frozen.
 * **Gradient**: the gradient of the modern function. One forward computes the weight once. A read between forwards sees
 * new values of g and v; in torch it is stale until the next forward.
 *
 * @param module - the module
 * @param name - the tensor
 * @param dim - the axis with separate norms; null or -1, as in torch, for one norm of the whole tensor. Other negative
 * numbers count from the end
 * @returns the module
 * @throws {@link ParametrizeError} `ALREADY_PARAMETRIZED`, `INVALID_NAME` if `<name>_g` or `<name>_v` is taken, and the
 * errors of the modern function
 * @deprecated Use `weightNorm` of `tfjs-parametrize`.
 * @see torch.nn.utils.weight_norm
 */
export function weightNorm<H extends WithTensor<N>, N extends string = 'weight'>(
  module: H,
  name?: N,
  dim?: number | null,
): Hooked<H, N, '_g' | '_v'>;
export function weightNorm<H extends Module, N extends string>(
  module: PossibleHost<H, N>,
  name: N,
  dim?: number | null,
): Hooked<H, N, '_g' | '_v'>;
export function weightNorm(module: Module, name = 'weight', dim: number | null = 0): Module {
  addNormalization(
    'weightNorm',
    definitionOf(WeightNorm.prototype),
    module,
    {
      name,
      hookKeys: weightNormKeys,
    },
    () => new WeightNorm({ dim: dim === -1 ? null : dim }),
  );
  return module;
}

/**
 * Removes weight normalization that either API registered. The module keeps the value of the tensor.
 *
 * @remarks
 * **Ownership**: the same as with `removeParametrizations`.
 *
 * @returns the module
 * @throws {@link ParametrizeError} `NOT_PARAMETRIZED` if the tensor is not weight-normalized, or has other
 * parametrizations too
 * @deprecated Use `removeParametrizations` or `fold` of `tfjs-parametrize`.
 * @see torch.nn.utils.remove_weight_norm
 */
export function removeWeightNorm<H extends Module>(module: H, name = 'weight'): H {
  const isIts = (map: unknown): boolean => map instanceof WeightNorm;
  removeNormalization('removeWeightNorm', 'weight_norm', module, name, isIts);
  return module;
}
