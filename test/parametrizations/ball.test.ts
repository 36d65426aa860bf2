import * as tf from '@tensorflow/tfjs';
import { expect, it } from 'vitest';
import { ball, parametrizationsOn } from '../../src/index.ts';
import { expectGradients } from '../nn/gradientCheck.ts';
import { inTidy } from '../parametrize/fixtures.ts';
import { describeEntryGolden, disposeHost, registered } from './entryGolden.ts';
import { describeEntryLaws, type Entry } from './entryLaws.ts';

describeEntryLaws(ball as Entry, {
  cases: [
    { shape: [4, 3] },
    { shape: [2, 3, 2], options: { axis: [0, 2], radius: 0.5 } },
    { shape: [3, 2], options: { axis: 0, radius: 3 } },
    { shape: [7] },
    { shape: [1, 1] },
  ],
});

it('ball keeps short vectors to rounding, at any length, and moves longer ones to the rim', () => {
  for (const length of [0, 1e-30, 1e-8, 0.01, 0.2, 0.3, 1.9, 2, 1e30]) {
    const host = registered(ball as Entry, [2], { radius: 2 });
    const given = tf.tidy(() => tf.mul(length, tf.tensor1d([0.6, -0.8])));
    inTidy(() => {
      host.weight = given;
      const wanted = tf.mul(Math.min(length, 2 * (1 - 1e-6)), tf.tensor1d([0.6, -0.8]));
      expect(host.weight).toBeAllClose(wanted, { relative: 2e-6, absolute: 0 });
    });
    disposeHost(host);
    given.dispose();
  }
});

it.each([0, 1e-20, 0.0499, 0.0501, 1])('ball is smooth at a distance of %f', (distance) => {
  const host = registered(ball as Entry, [1, 2], {});
  const list = parametrizationsOn(host, 'weight');
  tf.tidy(() => list.original!.assign(tf.tensor2d([[0.6 * distance, -0.8 * distance]])));
  expectGradients(() => host.weight, [list.original!], [1, 2]);
  disposeHost(host);
});

describeEntryGolden(ball as Entry, {
  options: ({ axis, curvature }) => ({ axis, radius: 1 / Math.sqrt(curvature as number) }),
});
