import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { softplusInverse } from '../../src/ops/softplusInverse.ts';
import { flatten } from '../toBeAllClose.ts';

it('softplusInverse keeps a positive number, from the smallest to the largest', () => {
  const exponents = Array.from({ length: 121 }, (_, i) => (i - 60) / 2);
  const y = exponents.map((exponent) => 10 ** exponent);
  const x = tf.tidy(() => flatten(softplusInverse(tf.tensor1d(y))));
  // In float64, so that only the rounding of x counts. Below −20, one step of x is up to 1e-5 of the value.
  x.forEach((value, i) => {
    const softplus = value > 30 ? value : Math.log1p(Math.exp(value));
    const rounding = Math.max(1, Math.abs(value)) * 2 ** -23;
    expect(Math.abs(softplus / y[i]! - 1), `${y[i]}`).toBeLessThan(4e-7 + rounding);
  });
});
