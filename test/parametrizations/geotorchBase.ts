import * as tf from '@tensorflow/tfjs';
import { polar } from '../../src/ops/matrix/polar.ts';
import { tensorOf } from '../nn/golden.ts';
import type { GoldenCase } from './entryGolden.ts';

/** Sets the base of a map to that of a case: as it is, or the polar factor of GeoTorch's, which GeoTorch takes. */
export function prepareBase(map: object, { base, bases }: GoldenCase): void {
  const variable = (map as { readonly base?: tf.Variable }).base;
  if (base !== undefined) variable!.assign(tensorOf(base));
  if (bases?.[''] === undefined) return;
  const given = tensorOf(bases['']);
  const batch = tf.reshape(given, [-1, ...given.shape.slice(-2)]);
  variable!.assign(tf.reshape(polar(batch), variable!.shape));
}
