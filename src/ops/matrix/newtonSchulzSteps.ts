import type { Spectrum } from '../float64/gramSpectrum.ts';

/** A step that maps each singular value x to `c·x(s − x²)`. */
export interface CubicStep {
  readonly c: number;
  readonly s: number;
}

/** The bound below which singular values count as small. */
const SMALL = 0.4;

/** The s of a step that maps a small x to 2.32x, and no x above SMALL to one below. */
const APPROACH = 1.25;

/** The number of steps from SMALL to 1. */
const FINISH = 5;

/** The number of steps from SMALL to 1 if some values turn out to be smaller. */
const LONG_FINISH = 9;

/** The distance of a spectrum from ones below which one plain step is enough. */
const NEAR = 1e-3;

/** An estimate of the smallest singular value is from above. This fraction of it is usually below. */
const SAFETY = 0.8;

/**
 * Chooses the steps of a Newton–Schulz iteration, which maps singular values of at most 1 to 1.
 *
 * For singular values in [l, 1], the step with `s = 1 + l + l²` and the c for which no value exceeds 1 raises the
 * smallest one the most: l and 1 are mapped to the same value. It is the plain step `x(3 − x²)/2` for l = 1, and
 * multiplies a small x by 2.6. But for a small l, it would lose most digits of the largest values, which become as
 * small as l. So the steps for small values have s = 1.25, which maps a small x to 2.32x, and no x above 0.4 to one
 * below.
 *
 * If nothing is known about the singular values, all steps are made. Else, those for small values are made while an
 * estimate of the smallest value is small, and the last one when all values are near 1.
 */
export class NewtonSchulzSteps {
  /** True if the last step was made because all singular values are near 1. */
  isComplete = false;
  private approach: number;
  private readonly finish: number;
  /** The steps that were made for values that are not small, and the smallest value after them. */
  private finishing = 0;
  private lowest = 0;

  /**
   * @param approach - the largest number of steps for small values
   * @param finish - the largest number of steps that follow
   */
  constructor(approach: number, finish = LONG_FINISH) {
    this.approach = approach;
    this.finish = finish;
  }

  /** @param spectrum - what is known about the singular values, or null */
  next(spectrum: Spectrum | null): CubicStep & { readonly isLast: boolean } {
    if (spectrum !== null && spectrum.distance < NEAR) {
      this.isComplete = true;
      return { c: 0.5, s: 3, isLast: true };
    }
    const smallest = SAFETY * (spectrum?.smallest ?? 0);
    const isSmall = spectrum === null ? this.finishing === 0 : smallest < SMALL;
    if (isSmall && this.approach > 0) {
      this.approach--;
      this.finishing = 0;
      return { ...stepOf(APPROACH), isLast: false };
    }
    if (this.finishing === 0) this.lowest = Math.max(SMALL, smallest);
    const step = stepOf(1 + this.lowest + this.lowest ** 2);
    // The value of the lowest singular value, which is that of 1.
    this.lowest = step.c * (step.s - 1);
    this.finishing++;
    return { ...step, isLast: this.finishing === (spectrum === null ? FINISH : this.finish) };
  }
}

/** The step with the largest c for which no value exceeds 1. */
const stepOf = (s: number): CubicStep => ({ c: 1.5 * Math.sqrt(3) * s ** -1.5, s });
