import type { Tensor } from '@tensorflow/tfjs-core';
import { SpectralNorm } from '../parametrizations/spectralNorm.ts';

/**
 * Spectral normalization as the old hook of torch computes it: the power iteration is not part of a read, a hook runs
 * it before each forward of the module in training mode, and it computes v before u.
 *
 * @see torch.nn.utils.spectral_norm
 */
export class HookedSpectralNorm extends SpectralNorm {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'HookedSpectralNorm';

  override forward(W: Tensor): Tensor {
    return this.quotient(W, false);
  }

  /** Moves the vectors on towards the singular vectors of the tensor. */
  beforeForward(W: Tensor): void {
    this.iterate(W);
  }

  /** No read writes the vectors. */
  override isPure(): boolean {
    return true;
  }

  /** A vector is a matrix of one column here. */
  protected override hasVectors(): boolean {
    return true;
  }

  protected override firstVector(): 'right' {
    return 'right';
  }
}
