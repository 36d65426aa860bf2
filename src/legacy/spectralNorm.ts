import type { Tensor } from '@tensorflow/tfjs-core';
import { checkOptions } from '../core/checkOptions.ts';
import type { Module } from '../nn/module/module.ts';
import { outputAxis } from '../nn/module/outputAxis.ts';
import { spectralNormKeys } from '../nn/stateDict/spectralNormKeys.ts';
import { SpectralNorm, type SpectralNormOptions } from '../parametrizations/spectralNorm.ts';
import { definitionOf } from '../parametrize/definition.ts';
import type { PossibleHost } from '../parametrize/verbs/registerParametrization.ts';
import { addNormalization, type Hooked, removeNormalization, type WithTensor } from './hookApi.ts';
import { HookedSpectralNorm } from './hookedSpectralNorm.ts';

/**
 * Spectral normalization with the names and the order of torch's old hook API: `Y = W / σ`, `σ = uᵀMv`.
 *
 * @remarks
 * **State**: `<name>_orig` on the module, after its other parameters, is the old variable of `<name>`. Buffers
 * `<name>_u` and `<name>_v` exist for a vector, too. They begin random and are iterated 15 times. (torch does not
 * iterate at registration, so its tensor is not normalized before the first forward.) Each forward in training mode
 * iterates `nPowerIterations` times, v before u. Reads do not iterate.
 * **Gradient**: to `<name>_orig`, through σ; u and v are constants.
 *
 * @param module - the module
 * @param name - the tensor
 * @returns the module
 * @throws {@link ParametrizeError} `ALREADY_PARAMETRIZED`, `INVALID_NAME` if a name is taken, and the errors of the
 * modern function
 * @deprecated Use `spectralNorm` of `tfjs-parametrize`.
 * @see torch.nn.utils.spectral_norm
 */
export function spectralNorm<H extends WithTensor<N>, N extends string = 'weight'>(
  module: H,
  name?: N,
  options?: SpectralNormOptions,
): Hooked<H, N, '_orig' | '_u' | '_v'>;
export function spectralNorm<H extends Module, N extends string>(
  module: PossibleHost<H, N>,
  name: N,
  options?: SpectralNormOptions,
): Hooked<H, N, '_orig' | '_u' | '_v'>;
export function spectralNorm(module: Module, name = 'weight', options: SpectralNormOptions = {}): Module {
  addNormalization(
    'spectralNorm',
    definitionOf(SpectralNorm.prototype),
    module,
    {
      name,
      hookKeys: spectralNormKeys,
      beforeForward: ({ training }, list) => {
        if (training) (list[0] as HookedSpectralNorm).beforeForward(list.original as Tensor);
      },
    },
    (weight) => {
      checkOptions('legacy.spectralNorm', options, ['nPowerIterations', 'eps', 'dim']);
      return new HookedSpectralNorm(weight, { ...options, dim: options.dim ?? outputAxis(module, weight) });
    },
  );
  return module;
}

/**
 * Removes spectral normalization that either API registered. The module keeps the value of the tensor, and nothing is
 * iterated.
 *
 * @remarks
 * **Ownership**: the same as with `removeParametrizations`.
 *
 * @returns the module
 * @throws {@link ParametrizeError} `NOT_PARAMETRIZED` if the tensor is not spectral-normalized, or has other
 * parametrizations too
 * @deprecated Use `removeParametrizations` or `fold` of `tfjs-parametrize`.
 * @see torch.nn.utils.remove_spectral_norm
 */
export function removeSpectralNorm<H extends Module>(module: H, name = 'weight'): H {
  const isIts = (map: unknown): boolean => map instanceof SpectralNorm;
  removeNormalization('removeSpectralNorm', 'spectral_norm', module, name, isIts);
  return module;
}
