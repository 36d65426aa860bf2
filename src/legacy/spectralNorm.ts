import type { Tensor } from '@tensorflow/tfjs-core';
import { checkOptions } from '../core/checkOptions.ts';
import type { Module } from '../nn/module/module.ts';
import { outputAxis } from '../nn/module/outputAxis.ts';
import type { SuffixOf } from '../nn/stateDict/hookKeys.ts';
import { spectralNormKeys } from '../nn/stateDict/spectralNormKeys.ts';
import { SpectralNorm, type SpectralNormOptions } from '../parametrizations/spectralNorm.ts';
import { definitionOf } from '../parametrize/definition.ts';
import type { LooseHost } from '../parametrize/verbs/registerParametrization.ts';
import { addNormalization, type Hooked, removeNormalization, type WithTensor } from './hookApi.ts';
import { HookedSpectralNorm } from './hookedSpectralNorm.ts';

/**
 * Spectral normalization with the names and the order of torch's old hook API: `Y = W / σ`, `σ = uᵀMv`.
 *
 * @remarks **State**: `<name>_orig` on the module itself, after its other parameters: the variable that `<name>` was;
 * buffers `<name>_u` and `<name>_v`, also for a vector. They begin random and are iterated 15 times (in torch not at
 * all, and the tensor is not normalized before the first forward). Each forward in training mode iterates
 * `nPowerIterations` times, v before u; reads never do. **Gradient**: to `<name>_orig`, through σ; u and v are
 * constants.
 *
 * @param module - the module
 * @param name - the tensor
 * @returns the module
 * @throws {@link ParametrizeError} `ALREADY_PARAMETRIZED`, `INVALID_NAME` if a name is taken, and as the modern
 * function
 * @deprecated Use `spectralNorm` of `tfjs-parametrize`.
 * @see torch.nn.utils.spectral_norm
 */
export function spectralNorm<H extends WithTensor<N>, N extends string = 'weight'>(
  module: H,
  name?: N,
  options?: SpectralNormOptions,
): Hooked<H, N, SuffixOf<typeof spectralNormKeys>>;
export function spectralNorm<H extends Module, N extends string>(
  module: LooseHost<H, N>,
  name: N,
  options?: SpectralNormOptions,
): Hooked<H, N, SuffixOf<typeof spectralNormKeys>>;
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
 * Removes spectral normalization, whichever API put it there; the module keeps the value of the tensor, and no
 * iteration is made.
 *
 * @remarks
 * **Ownership**: as of `removeParametrizations`.
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
