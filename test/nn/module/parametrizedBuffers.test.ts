import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import {
  nn,
  Orthogonal,
  registerParametrization,
  removeParametrizations,
  SpectralNorm,
} from '../../../src/index.ts';
import { failure } from '../../parametrize/unchanged.ts';

const half = () => ({
  forward: (x: tf.Tensor) => tf.mul(x, 2),
  rightInverse: (x: tf.Tensor) => tf.div(x, 2),
  isPure: () => true,
});
const layers: Record<
  string,
  () => nn.Module & { running_mean: tf.Tensor | null; running_var: tf.Tensor | null }
> = {
  BatchNorm1d: () => new nn.BatchNorm1d(3),
  'BatchNorm1d, plain average': () => new nn.BatchNorm1d(3, { momentum: null }),
  InstanceNorm1d: () => new nn.InstanceNorm1d(3, { trackRunningStats: true }),
};
const input = () => tf.randomNormal([4, 3, 5], 1, 2, 'float32', 7);

describe('buffers that a module writes itself', () => {
  for (const [kind, make] of Object.entries(layers)) {
    it(`move through the right inverse where they are parametrized: ${kind}`, () => {
      const [plain, layer] = [make(), make()];
      registerParametrization(layer as object, 'running_mean' as string, half());
      registerParametrization(layer as object, 'running_var' as string, half());
      const x = input();
      for (let i = 0; i < 3; i++) tf.dispose([plain.call(x), layer.call(x)]);
      tf.tidy(() => {
        expect(layer.running_mean!).toBeAllClose(plain.running_mean!);
        expect(layer.running_var!).toBeAllClose(plain.running_var!);
      });
      expect(layer.buffers().map(({ shape }) => shape)).toHaveLength(3);
      x.dispose();
      for (const one of [plain, layer]) one.dispose();
    });

    it(`stay as they are, all of them, if the call fails: ${kind}`, () => {
      const layer = make();
      let fails = false;
      registerParametrization(layer as object, 'running_mean' as string, half());
      registerParametrization(layer as object, 'running_var' as string, {
        ...half(),
        rightInverse: (x: tf.Tensor) => {
          if (fails) throw new Error('boom');
          return tf.div(x, 2);
        },
      });
      fails = true;
      const x = input();
      expect(failure(() => layer.call(x), layer)).toBe('Error: boom');
      fails = false;
      tf.dispose(layer.call(x));
      x.dispose();
      layer.dispose();
    });
  }

  it('do not move if the weight that is read after them cannot be computed', () => {
    const layer = new nn.BatchNorm1d(3);
    let fails = false;
    registerParametrization(layer as { weight: tf.Tensor }, 'weight', (w) => {
      if (fails) throw new Error('boom');
      return tf.mul(w, 1);
    });
    fails = true;
    const x = input();
    expect(failure(() => layer.call(x), layer)).toBe('Error: boom');
    x.dispose();
    layer.dispose();
  });

  it('may be the vectors of a parametrization', () => {
    const weight = tf.randomNormal([3, 2], 0, 1, 'float32', 3);
    const map = new SpectralNorm(weight);
    registerParametrization(map as object, '_u' as string, half());
    const y = map.call(weight);
    const sigma = tf.tidy(() => tf.norm(y, 'euclidean').dataSync()[0]!);
    expect(sigma).toBeGreaterThan(0.99);
    expect(sigma).toBeLessThan(1.42);
    tf.dispose([weight, y]);
    map.dispose();
  });

  it('may be the base of an orthogonal matrix', () => {
    const host: { w: tf.Tensor } = { w: nn.parameter(() => tf.randomNormal([3, 3], 0, 1, 'float32', 5)) };
    const map = new Orthogonal(host.w);
    registerParametrization(map as object, 'base' as string, half());
    registerParametrization(host, 'w', map);
    const turned = tf.tensor2d([0, 1, 0, 0, 0, 1, 1, 0, 0], [3, 3]);
    host.w = turned;
    tf.tidy(() => {
      expect(host.w).toBeAllClose([0, 1, 0, 0, 0, 1, 1, 0, 0]);
    });
    removeParametrizations(host, 'w');
    tf.dispose([turned, host.w]);
    map.dispose();
  });
});
