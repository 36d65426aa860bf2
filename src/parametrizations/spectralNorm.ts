import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { axisIn } from '../core/axes.ts';
import { refusal } from '../core/errors.ts';
import { formatShape } from '../core/shapes.ts';
import { powerIterationOp, spectralNormOp, weightNormOp } from '../kernels/index.ts';
import type { Iteration } from '../kernels/spectralNorm/kernels.ts';
import { assignFields } from '../nn/module/assignFields.ts';
import { buffer } from '../nn/module/parameter.ts';
import { spectralNormKeys } from '../nn/stateDict/spectralNormKeys.ts';
import { defineParametrization } from '../parametrize/define.ts';
import { Parametrization } from '../parametrize/parametrization.ts';
import { integer, notNegative } from './options.ts';
import { randomVectors } from './randomVectors.ts';

/** Options of {@link spectralNorm}. */
export interface SpectralNormOptions {
  /** The number of steps of the power iteration at each read in training mode. Default 1. */
  readonly nPowerIterations?: number;
  /**
   * The least norm of a product of the iteration, relative to the largest element of the tensor. A vector with a
   * shorter product stays as it is. For a tensor that is a vector, the lower bound of the divisor. Default 1e-12.
   */
  readonly eps?: number;
  /**
   * The axis whose slices are the rows of the matrix; negative counts from the end. Default 0, on transposed
   * convolutions 1: the axis of the output channels; on layers of tf.layers the first axis that numbers the outputs.
   */
  readonly dim?: number;
}

/** The number of steps at registration, as in torch. */
const warmUp = 15;

/**
 * Divides a tensor by its largest singular value, so that the linear map of the result stretches no vector.
 *
 * `Y = W / σ`, `σ = uᵀMv`, where the rows of M are the slices of W along `dim`. u and v approach the first singular
 * vectors by `u ← Mv/‖Mv‖`, `v ← Mᵀu/‖Mᵀu‖`. A vector is divided by its norm.
 *
 * @remarks
 * **Shape**: W, Y: S. u: [S[dim]]; v: [the product of the other axes].
 * **State**: `original` = W; buffers `_u`, `_v` (none for a vector), which begin random and are iterated 15 times. In
 * training mode each evaluation iterates them `nPowerIterations` times more and writes them. In eval mode they do not
 * change.
 * **Gradient**: to W, through σ; u and v are constants. Of any order.
 * **Ownership**: the instance owns `_u` and `_v`; `dispose()` frees them. A removal disposes an instance that
 * {@link spectralNorm} made.
 *
 * A zero tensor stays zero, with the gradients of the identity, of every order (torch: NaN).
 *
 * The result does not depend on the scale of W. W is divided by its largest element first to avoid overflow.
 *
 * @throws {@link ParametrizeError} `OPTION`, `DTYPE`; `SHAPE` for a tensor without elements, or of another
 * shape
 * @see Miyato et al. 2018, arXiv:1802.05957. torch.nn.utils.parametrizations.spectral_norm
 */
export class SpectralNorm extends Parametrization {
  /** The axis whose slices are the rows of the matrix. */
  readonly dim: number;
  /** The estimate of the first left singular vector; absent for a vector. */
  declare readonly _u?: Variable;
  /** The estimate of the first right singular vector; absent for a vector. */
  declare readonly _v?: Variable;
  private readonly shape: readonly number[];
  private iterations: number;
  private lowerBound: number;

  /** @param weight - the tensor that the singular vectors are estimated for */
  constructor(weight: Tensor, options: SpectralNormOptions = {}) {
    super();
    const { nPowerIterations, eps, dim } = this.checkedOptions(options);
    this.iterations = nPowerIterations;
    this.lowerBound = eps;
    this.dim = rowAxisOf(weight, dim);
    this.shape = weight.shape;
    if (!this.hasVectors(weight)) return;
    const { left, right } = tf.tidy(() => {
      const start = randomVectors(weight, this.dim);
      const { left, right } = powerIterationOp(weight, this.dim, start, this.iteration(warmUp));
      return { left: buffer(left), right: buffer(right) };
    });
    this._u = left;
    this._v = right;
  }

  /** The number of steps of the power iteration at each read in training mode. */
  get nPowerIterations(): number {
    return this.iterations;
  }

  /** Sets the value. Cached values become stale. */
  set nPowerIterations(nPowerIterations: number) {
    this.checkOption('nPowerIterations', nPowerIterations);
    this.iterations = nPowerIterations;
    this.invalidate();
  }

  /** The least norm of a product of the iteration; see {@link SpectralNormOptions.eps}. */
  get eps(): number {
    return this.lowerBound;
  }

  /** Sets the value. Cached values become stale. */
  set eps(eps: number) {
    this.checkOption('eps', eps);
    this.lowerBound = eps;
    this.invalidate();
  }

  override forward(W: Tensor): Tensor {
    this.checkShape(W);
    if (this._u === undefined) return weightNormOp(tf.scalar(1), W, [0], this.eps);
    return this.quotient(W, this.training);
  }

  /**
   * Returns the tensor. Unlike in torch, the vectors follow it, so the value is divided by its own singular value in
   * eval mode, too.
   */
  override rightInverse(W: Tensor): Tensor {
    this.checkShape(W);
    if (this._u !== undefined) this.iterate(W, warmUp);
    return W;
  }

  /** Returns false in training mode, where an evaluation writes the vectors, unless the tensor is a vector. */
  override isPure(): boolean {
    return !this.training || this._u === undefined;
  }

  /**
   * Returns true if the tensor is treated as a matrix with singular vectors, and false if it is divided by its norm.
   */
  protected hasVectors({ rank }: Tensor): boolean {
    return rank > 1;
  }

  /** Returns the vector that each iteration computes first. */
  protected firstVector(): 'left' | 'right' {
    return 'left';
  }

  /** Moves the vectors towards the singular vectors of a tensor. */
  protected iterate(W: Tensor, iterations = this.iterations): void {
    const [u, v] = [this._u!, this._v!];
    const start = { left: u, right: v };
    const { left, right } = powerIterationOp(W, this.dim, start, this.iteration(iterations));
    assignFields(this, { _u: left, _v: right });
  }

  /**
   * Returns the tensor divided by the estimate of its singular value.
   *
   * @param iterates - true to iterate the vectors first
   */
  protected quotient(W: Tensor, iterates: boolean): Tensor {
    if (iterates) this.iterate(W);
    return spectralNormOp(W, this.dim, { left: this._u!, right: this._v! });
  }

  private iteration(iterations: number): Iteration {
    return { iterations, eps: this.eps, first: this.firstVector() };
  }

  /** Refuses a tensor of another shape, which the vectors do not fit. */
  private checkShape({ shape }: Tensor): void {
    if (tf.util.arraysEqual(shape, [...this.shape])) return;
    throw refusal(
      'SHAPE',
      'spectralNorm',
      `this SpectralNorm was made for shape ${formatShape(this.shape)}, got ${formatShape(shape)}`,
      'Make one for each tensor: new SpectralNorm(tensor).',
    );
  }
}

/**
 * Divides a weight of a module by its largest singular value, estimated by a power iteration; see {@link SpectralNorm}.
 *
 * @throws {@link ParametrizeError} `OPTION` for an option that is invalid for the tensor, `SHAPE` for a tensor
 * without elements, `DTYPE` for a tensor
 * that is not float32; the errors of {@link registerParametrization}
 * @example
 * ```ts
 * spectralNorm(discriminator.conv);
 * discriminator.train();  // each read moves the estimate
 * discriminator.eval();   // the estimate stays
 * ```
 * @see torch.nn.utils.parametrizations.spectral_norm
 * @function
 */
export const spectralNorm = defineParametrization<SpectralNorm, SpectralNormOptions>({
  name: 'spectralNorm',
  class: SpectralNorm,
  hasFixedFields: true,
  copies: 8,
  options: {
    nPowerIterations: { default: 1, ...integer(1) },
    eps: { default: 1e-12, ...notNegative },
    dim: { default: 0, ...integer(Number.MIN_SAFE_INTEGER) },
  },
  hookKeys: spectralNormKeys,
  axes: { option: 'dim', vectors: { '0._u': 'rows', '0._v': 'columns' } },
  make: ({ value, outputAxis }, options) => new SpectralNorm(value, { dim: outputAxis, ...options }),
});

/** Returns the axis of the rows, counted from the front. */
function rowAxisOf({ shape, rank, dtype }: Tensor, dim: number): number {
  if (dtype !== 'float32') {
    throw refusal('DTYPE', 'spectralNorm', `expected a float32 tensor, got ${dtype}`, 'Cast it first.');
  }
  if (shape.includes(0)) {
    const fact = `a tensor of shape ${formatShape(shape)} has no elements, so no singular values`;
    throw refusal('SHAPE', 'spectralNorm', fact, 'Register it on a tensor with elements.');
  }
  const axis = axisIn(dim, rank);
  if (axis !== undefined) return axis;
  const range = rank === 0 ? 'a tensor with axes' : `an axis from ${-rank} to ${rank - 1}`;
  throw refusal(
    'OPTION',
    'spectralNorm',
    `dim ${dim} is out of range for shape ${formatShape(shape)}: expected ${range}`,
  );
}
