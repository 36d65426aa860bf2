import type { Tensor } from '@tensorflow/tfjs-core';
import { SpectralNorm } from '../parametrizations/spectralNorm.ts';

/**
 * Spectral normalization as torch's old hook computes it. A read does not iterate. A hook runs the power iteration
 * before each forward of the module in training mode, and computes v before u.
 *
 * @see torch.nn.utils.spectral_norm
 */
export class HookedSpectralNorm extends SpectralNorm {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'HookedSpectralNorm';

  override forward(W: Tensor): Tensor {
    return this.quotient(W, false);
  }

  /** Moves the vectors towards the singular vectors of the tensor. */
  beforeForward(W: Tensor): void {
    this.iterate(W);
  }

  /** Returns true: no read writes the vectors. */
  override isPure(): boolean {
    return true;
  }

  /** Returns true: a vector counts as a matrix of one column. */
  protected override hasVectors(): boolean {
    return true;
  }

  protected override firstVector(): 'right' {
    return 'right';
  }
}
