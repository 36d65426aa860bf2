/** What the numbers of `G = XᵀX` say about the singular values of X. */
export interface Spectrum {
  /** `‖G − I‖_F`, the largest of a batch: no σ² is farther from 1. */
  readonly distance: number;
  /** An estimate of the smallest singular value of a batch, from above. */
  readonly smallest: number;
}

/** The number of multiplications by `I − G` for the first estimate, and for each of the others. */
const [FIRST, OTHERS] = [12, 3];

/**
 * Estimates the smallest singular value of matrices from the numbers of `G = XᵀX`, for singular values of at most 1.
 *
 * It multiplies a vector by `I − G`, which has the largest eigenvalue `1 − σ²` for the smallest σ. An iteration on X
 * keeps its right singular vectors, so the vector of one estimate is the start of the next, and gets better with every
 * step of the iteration.
 */
export class GramSpectrum {
  private readonly b: number;
  private readonly k: number;
  private readonly vectors: Float64Array;
  private rounds = FIRST;

  /**
   * @param b - the number of matrices
   * @param k - the number of rows of G
   */
  constructor(b: number, k: number) {
    this.b = b;
    this.k = k;
    // Fixed numbers without a pattern: the golden ratio is far from every fraction.
    this.vectors = Float64Array.from({ length: b * k }, (_, i) => (((i + 1) * 0.6180339887498949) % 1) - 0.5);
  }

  /** @param G - the numbers of [b, k, k] */
  estimate(G: ArrayLike<number>): Spectrum {
    let [distance, shrink] = [0, 0];
    for (let i = 0; i < this.b; i++) {
      distance = Math.max(distance, this.distanceOf(G, i));
      shrink = Math.max(shrink, this.largestOf(G, i));
    }
    this.rounds = OTHERS;
    return { distance, smallest: Math.sqrt(Math.max(0, 1 - shrink)) };
  }

  private distanceOf(G: ArrayLike<number>, i: number): number {
    const { k } = this;
    let sum = 0;
    for (let j = i * k * k; j < (i + 1) * k * k; j++) sum += G[j]! * G[j]!;
    let trace = 0;
    for (let j = i * k * k; j < (i + 1) * k * k; j += k + 1) trace += (G[j]! - 1) ** 2 - G[j]! ** 2;
    return Math.sqrt(Math.max(0, sum + trace));
  }

  /** Estimates the largest eigenvalue of `I − G` of a matrix, from below. */
  private largestOf(G: ArrayLike<number>, i: number): number {
    const { k } = this;
    let v = this.vectors.subarray(i * k, (i + 1) * k);
    let quotient = 0;
    for (let round = 0; round < this.rounds; round++) {
      const product = new Float64Array(k);
      let [along, square] = [0, 0];
      for (let row = 0, start = i * k * k; row < k; row++, start += k) {
        let sum = v[row]!;
        for (let column = 0; column < k; column++) sum -= G[start + column]! * v[column]!;
        product[row] = sum;
        along += sum * v[row]!;
        square += v[row]! * v[row]!;
      }
      quotient = along / square;
      const length = Math.sqrt(product.reduce((total, x) => total + x * x, 0));
      // A vector of zeros: G is I, and there is nothing to find.
      if (length === 0) return 0;
      v = product.map((x) => x / length);
    }
    this.vectors.set(v, i * k);
    return quotient;
  }
}
