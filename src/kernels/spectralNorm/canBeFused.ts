import type { Tensor } from '@tensorflow/tfjs-core';

/** True for tensors that the kernels of spectral normalization take. */
export const canBeFused = (W: Tensor): boolean => W.dtype === 'float32' && W.size > 0;
