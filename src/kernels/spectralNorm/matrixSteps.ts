import * as tf from '@tensorflow/tfjs-core';
import type { Numbers } from '../../engine/cpuStorage.ts';
import type { VectorRoutines } from '../simd/vectorRoutines.ts';
import type { Iteration } from './kernels.ts';

/** The memory layout `[outer, rows, inner]` of a tensor as the matrix whose rows are its slices along an axis. */
export interface MatrixLayout {
  readonly outer: number;
  readonly rows: number;
  readonly inner: number;
}

export const matrixLayout = (shape: readonly number[], dim: number): MatrixLayout => ({
  outer: tf.util.sizeFromShape(shape.slice(0, dim)),
  rows: shape[dim]!,
  inner: tf.util.sizeFromShape(shape.slice(dim + 1)),
});

/** The numbers of a tensor: their location for the routines, and a view that is valid until the memory grows. */
export interface Located<Location> {
  readonly location: Location;
  readonly numbers: Numbers;
}

/**
 * The estimate of the largest singular value, and whether it depends on the matrix. It does not if a constant replaces
 * 0.
 */
export interface SingularValue {
  readonly sigma: number;
  readonly varies: boolean;
}

/** The operations on the matrix of a tensor. They read the numbers in the order of the memory. */
export class MatrixSteps<Location> {
  private readonly vectors: VectorRoutines<Location>;
  private readonly layout: MatrixLayout;
  private readonly W: Located<Location>;

  constructor(vectors: VectorRoutines<Location>, layout: MatrixLayout, W: Located<Location>) {
    this.vectors = vectors;
    this.layout = layout;
    this.W = W;
  }

  /**
   * Runs the power iteration in place.
   *
   * @param scratch - room for as many numbers as the longer of the two vectors
   */
  iterate(
    left: Located<Location>,
    right: Located<Location>,
    scratch: Located<Location>,
    how: Iteration,
  ): void {
    const { numbers, location } = this.W;
    const size = Math.sqrt(this.vectors.dot(location, 0, location, 0, numbers.length));
    // Numbers are divided by their largest element before they are added in float32, so the sum neither over- nor
    // underflows.
    const unit = size > 0 && size < Number.POSITIVE_INFINITY ? 1 / size : 1;
    const turn = (to: Located<Location>, count: number): void => {
      const direction = scratch.numbers.subarray(0, count);
      let length = 0;
      for (const x of direction) length += x * x;
      length = Math.sqrt(length);
      // No element exceeds the norm, so the first comparison decides for most vectors.
      const isLong = length > how.eps || length > how.eps * unit * largestOf(numbers);
      // The vector stays as it is for a zero or an infinite matrix. No later step could recover from zeros or NaN.
      if (!isLong || !(length < Number.POSITIVE_INFINITY)) return;
      for (let i = 0; i < count; i++) to.numbers[i] = direction[i]! / length;
    };
    const [m, n] = [left.numbers.length, right.numbers.length];
    const turnLeft = () => {
      this.multiply(right, unit, scratch);
      turn(left, m);
    };
    const turnRight = () => {
      this.multiplyTransposed(left, unit, scratch);
      turn(right, n);
    };
    if (how.first === 'right') turnRight();
    for (let i = 1; i <= how.iterations; i++) {
      turnLeft();
      if (how.first === 'left' || i < how.iterations) turnRight();
    }
  }

  /** Returns `uᵀMv`. If it is 0, returns the largest magnitude, or 1, as a constant. */
  sigma(left: Located<Location>, right: Located<Location>): SingularValue {
    const { outer, rows, inner } = this.layout;
    const { dot } = this.vectors;
    let sigma = 0;
    for (let o = 0; o < outer; o++) {
      if (inner === 1) {
        sigma += right.numbers[o]! * dot(this.W.location, o * rows, left.location, 0, rows);
        continue;
      }
      for (let i = 0; i < rows; i++) {
        const along = dot(this.W.location, (o * rows + i) * inner, right.location, o * inner, inner);
        sigma += left.numbers[i]! * along;
      }
    }
    return sigma === 0 ? { sigma: largestOf(this.W.numbers) || 1, varies: false } : { sigma, varies: true };
  }

  /** `Y = W/σ` */
  divide(sigma: number, Y: Location): void {
    this.vectors.scale(this.W.location, Y, this.W.numbers.length, 1 / sigma);
  }

  /** `dW = (dY − ⟨dY, W⟩/σ·uvᵀ)/σ`, or dY/σ if σ is a constant. */
  pullBack(
    dY: Location,
    left: Located<Location>,
    right: Located<Location>,
    value: SingularValue,
    dW: Location,
  ): void {
    const { outer, rows, inner } = this.layout;
    const { dot, combine, scale } = this.vectors;
    const { sigma, varies } = value;
    const size = this.W.numbers.length;
    if (!varies) {
      scale(dY, dW, size, 1 / sigma);
      return;
    }
    const along = dot(dY, 0, this.W.location, 0, size) / sigma;
    for (let o = 0; o < outer; o++) {
      if (inner === 1) {
        const c = along * right.numbers[o]!;
        combine(dY, o * rows, left.location, 0, dW, o * rows, rows, 1 / sigma, c);
        continue;
      }
      for (let i = 0; i < rows; i++) {
        const offset = (o * rows + i) * inner;
        const c = along * left.numbers[i]!;
        combine(dY, offset, right.location, o * inner, dW, offset, inner, 1 / sigma, c);
      }
    }
  }

  /** `unit·Mv` */
  private multiply(right: Located<Location>, unit: number, out: Located<Location>): void {
    const { outer, rows, inner } = this.layout;
    out.numbers.fill(0, 0, rows);
    for (let o = 0; o < outer; o++) {
      if (inner === 1) {
        this.add(right.numbers[o]! * unit, o * rows, rows, out.location, 0);
        continue;
      }
      for (let i = 0; i < rows; i++) {
        const along = this.vectors.dot(
          this.W.location,
          (o * rows + i) * inner,
          right.location,
          o * inner,
          inner,
        );
        out.numbers[i]! += along * unit;
      }
    }
  }

  /** `unit·Mᵀu` */
  private multiplyTransposed(left: Located<Location>, unit: number, out: Located<Location>): void {
    const { outer, rows, inner } = this.layout;
    out.numbers.fill(0, 0, outer * inner);
    for (let o = 0; o < outer; o++) {
      if (inner === 1) {
        out.numbers[o] = unit * this.vectors.dot(this.W.location, o * rows, left.location, 0, rows);
        continue;
      }
      for (let i = 0; i < rows; i++) {
        this.add(left.numbers[i]! * unit, (o * rows + i) * inner, inner, out.location, o * inner);
      }
    }
  }

  /** `out += c·(n numbers of W)` */
  private add(c: number, offset: number, n: number, out: Location, outOffset: number): void {
    this.vectors.combine(out, outOffset, this.W.location, offset, out, outOffset, n, 1, -c);
  }
}

function largestOf(numbers: Numbers): number {
  let largest = 0;
  for (let i = 0; i < numbers.length; i++) largest = Math.max(largest, Math.abs(numbers[i]!));
  return largest;
}

/** The length of an encoded singular value. */
export const ENCODED_SIGMA = 3;

/**
 * Encodes a singular value in float32 numbers `[m, e, varies]` with `σ = m·2ᵉ`, because one float32 may not hold it.
 * `varies` is 1 if σ depends on the matrix.
 */
export function encodeSigma({ sigma, varies }: SingularValue): number[] {
  const exponent = Number.isFinite(sigma) && sigma !== 0 ? Math.floor(Math.log2(Math.abs(sigma))) : 0;
  return [sigma / 2 ** exponent, exponent, Number(varies)];
}

/** The inverse of {@link encodeSigma}. */
export const decodeSigma = ({ 0: mantissa, 1: exponent, 2: varies }: ArrayLike<number>): SingularValue => ({
  sigma: mantissa! * 2 ** exponent!,
  varies: varies === 1,
});
