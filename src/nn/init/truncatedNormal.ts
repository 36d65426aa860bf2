/** The distribution N(mean, std²), conditioned on [a, b]. */
interface TruncatedNormal {
  readonly mean: number;
  readonly std: number;
  readonly a: number;
  readonly b: number;
}

/**
 * Draws independent numbers from a truncated normal distribution, by rejection.
 *
 * tfjs only truncates at two standard deviations.
 */
export function truncatedNormal(size: number, distribution: TruncatedNormal, seed: number): Float32Array {
  const { mean, std, a, b } = distribution;
  const uniform = mulberry32(seed);
  const draw = standardSampler((a - mean) / std, (b - mean) / std, uniform);
  // Rounding of mean + std·z may exceed a bound.
  return Float32Array.from({ length: size }, () => Math.min(b, Math.max(a, mean + std * draw())));
}

/** Draws from N(0, 1) conditioned on [low, high]. */
function standardSampler(low: number, high: number, uniform: () => number): () => number {
  // A wide interval around 0 contains most of the normal distribution.
  if (low <= 0 && high >= 0 && high - low > 2.5) {
    return () => {
      for (;;) {
        const z = Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
        if (z >= low && z <= high) return z;
      }
    };
  }
  // A narrow interval, or one in a tail, takes uniform proposals under the density relative to its peak. Nine
  // deviations away from the peak, the density is zero.
  const peak = Math.max(low, Math.min(high, 0));
  const from = Math.max(low, peak - 9);
  const to = Math.min(high, peak + 9);
  return () => {
    for (;;) {
      const z = from + (to - from) * uniform();
      if (uniform() <= Math.exp((peak * peak - z * z) / 2)) return z;
    }
  };
}

/** Makes a generator of uniform numbers in [0, 1). */
function mulberry32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let hash = Math.imul(state ^ (state >>> 15), 1 | state);
    hash = (hash + Math.imul(hash ^ (hash >>> 7), 61 | hash)) ^ hash;
    return ((hash ^ (hash >>> 14)) >>> 0) / 2 ** 32;
  };
}
