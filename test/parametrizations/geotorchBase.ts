import * as tf from '@tensorflow/tfjs';
import { polar } from '../../src/ops/matrix/polar.ts';
import { tensorOf } from '../nn/golden.ts';
import type { GoldenCase } from './entryGolden.ts';

/** Sets the bases of a map to those of a case: as they are, or the polar factor of GeoTorch's, which GeoTorch takes. */
export function prepareBase(map: object, { base, bases }: GoldenCase): void {
  const variable = (map as { readonly base?: tf.Variable }).base;
  if (base !== undefined) variable!.assign(tensorOf(base));
  if (bases?.['U'] !== undefined) {
    const { left, right } = map as {
      readonly left: { base: tf.Variable };
      readonly right: { base: tf.Variable };
    };
    left.base.assign(tensorOf(bases['U']));
    right.base.assign(tensorOf(bases['V']!));
  }
  if (bases?.[''] === undefined) return;
  const given = tensorOf(bases['']);
  const batch = tf.reshape(given, [-1, ...given.shape.slice(-2)]);
  variable!.assign(tf.reshape(polar(batch), variable!.shape));
}
