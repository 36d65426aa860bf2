import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { nn, parametrizationsOn, Sphere, type SphereMap, sphere } from '../../src/index.ts';
import { tensorOf } from '../nn/golden.ts';
import { expectGradients } from '../nn/gradientCheck.ts';
import { inTidy } from '../parametrize/fixtures.ts';
import { flatten } from '../toBeAllClose.ts';
import { describeEntryGolden, disposeHost, registered } from './entryGolden.ts';
import { describeEntryLaws, type Entry } from './entryLaws.ts';

const maps: readonly SphereMap[] = ['project', 'exp'];

describeEntryLaws(sphere as Entry, {
  cases: [
    { shape: [4, 3], options: { map: 'exp' } },
    { shape: [4, 3], options: { radius: 3 } },
    { shape: [2, 3, 2], options: { axis: [0, 2], map: 'exp', radius: 0.5 } },
    { shape: [7] },
    { shape: [1, 4], options: { axis: 0 } },
  ],
});

it('sphere projects by default, and stays on the sphere then', async () => {
  nn.manualSeed(3);
  const layer = sphere(new nn.Linear(3, 2, { bias: false }));
  expect(String(layer)).toContain('Sphere(radius=1, axis=-1)');
  expect(await sphere.contains(layer.weight)).toBe(true);
  expectGradients(() => layer.weight, layer.parameters(), [1, 2]);
  layer.dispose();
});

describe.each(maps)('sphere with %s', (map) => {
  it('moves a vector to the nearest point, and gives zeros a random direction', () => {
    const host: { weight: tf.Tensor } = {
      weight: tf.tidy(() =>
        tf.variable(
          tf.tensor2d([
            [3, 4],
            [0, 0],
          ]),
        ),
      ),
    };
    nn.manualSeed(5);
    sphere(host, 'weight', { radius: 2, map });
    const [x, y, ...random] = tf.tidy(() => flatten(host.weight));
    expect([x, y]).toBeAllClose([1.2, 1.6]);
    expect(Math.hypot(...random)).toBeCloseTo(2, 5);
    nn.manualSeed(6);
    inTidy(() => {
      host.weight = tf.zeros([2, 2]);
      expect(flatten(host.weight).slice(2)).not.toBeAllClose(random);
    });
    disposeHost(host);
  });

  it('has a length that does not depend on the magnitude of the weight', () => {
    for (const magnitude of [1e-40, 1e-30, 1e30]) {
      const host = registered(sphere as Entry, [2, 3], { map });
      inTidy(() => {
        host.weight = tf.fill([2, 3], magnitude);
        // webgl rounds numbers below 2⁻¹²⁶ to zero, which gets a random direction.
        if (magnitude > 1e-38) expect(host.weight).toBeAllClose(tf.fill([2, 3], 1 / Math.sqrt(3)));
        expect(tf.norm(host.weight, 2, -1)).toBeAllClose([1, 1]);
      });
      disposeHost(host);
    }
  });
});

describe('sphere with exp', () => {
  it.each([0, 1e-20, 1e-4, 0.0499, 0.0501, 2, 40])(
    'is smooth and of length 1 at a distance of %f',
    (distance) => {
      const host = registered(sphere as Entry, [2, 3], { map: 'exp' });
      const list = parametrizationsOn(host, 'weight');
      inTidy(() => {
        list.original!.assign(
          tf.mul(
            distance,
            tf.tensor2d([
              [0.6, -0.8, 0.1],
              [0, 0.2, -0.9],
            ]),
          ),
        );
        expect(tf.norm(host.weight, 2, -1)).toBeAllClose([1, 1]);
      });
      // Central differences of order 2 need the map to be smooth within their step.
      expectGradients(() => host.weight, [list.original!], distance < 1 ? [1, 2] : [1]);
      disposeHost(host);
    },
  );

  it('has the gradient (I − bbᵀ)dy at the starting point', () => {
    const host = registered(sphere as Entry, [3], { map: 'exp' });
    const list = parametrizationsOn(host, 'weight');
    inTidy(() => {
      const b = (list[0] as Sphere).base!;
      const dy = tf.tensor1d([1, -2, 0.5]);
      const { grads } = tf.variableGrads(() => tf.sum(tf.mul(host.weight, dy)), [list.original!]);
      const wanted = tf.sub(dy, tf.mul(b, tf.sum(tf.mul(b, dy))));
      expect(grads[list.original!.name]!).toBeAllClose(wanted);
    });
    disposeHost(host);
  });

  it('is made for one shape', () => {
    inTidy(() => {
      const map = new Sphere(tf.zeros([2, 3]), { map: 'exp' });
      for (const call of [() => map.forward(tf.ones([3, 3])), () => map.rightInverse(tf.ones([3, 3]))]) {
        expect(call).toThrow(expect.objectContaining({ code: 'SHAPE' }));
      }
      map.dispose();
    });
  });
});

describeEntryGolden(sphere as Entry, {
  isSameMap: () => true,
  prepare: (map, { base }) => {
    if (base !== undefined) (map as Sphere).base!.assign(tensorOf(base));
  },
});
