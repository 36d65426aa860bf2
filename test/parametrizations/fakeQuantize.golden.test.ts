import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { FakeQuantize, type FakeQuantizeOptions, fakeQuantize, parametrizationsOn } from '../../src/index.ts';
import { fakeQuantizeOp, learnedFakeQuantizeOp } from '../../src/ops/fakeQuantize.ts';
import golden from '../golden/finetune.json' with { type: 'json' };
import { type GoldenTensor, tensorOf } from '../nn/golden.ts';
import { inTidy } from '../parametrize/fixtures.ts';
import { flatten } from '../toBeAllClose.ts';
import { disposeHost } from './entryGolden.ts';

interface QuantizeCase {
  readonly x: GoldenTensor;
  readonly scale: GoldenTensor | number;
  readonly zero_point: GoldenTensor | number;
  readonly axis?: number | null;
  readonly quant_min: number;
  readonly quant_max: number;
  readonly y: GoldenTensor;
  readonly dy: GoldenTensor;
  readonly dx: GoldenTensor;
}

interface LearnableCase extends QuantizeCase {
  readonly grad_factor: number;
  readonly dscale: GoldenTensor;
  readonly dzero_point: GoldenTensor;
}

interface ObserverResult {
  readonly observer: string;
  readonly batch?: GoldenTensor;
  readonly min: GoldenTensor;
  readonly max: GoldenTensor;
  readonly scale: GoldenTensor;
  readonly zero_point: GoldenTensor;
  readonly quant_min: number;
  readonly quant_max: number;
}

const { quantize } = golden as unknown as {
  quantize: {
    per_tensor: QuantizeCase[];
    per_channel: QuantizeCase[];
    learnable: LearnableCase[];
    quirk: { x: GoldenTensor; y: GoldenTensor; dx_of_sum: GoldenTensor };
    lsq_paper: {
      v: GoldenTensor;
      scale: number;
      qn: number;
      qp: number;
      value: GoldenTensor;
      dy: GoldenTensor;
      dv: GoldenTensor;
      dscale: number;
      grad_scale: number;
      initial_scale_of_first_30: number;
    }[];
    observers: { batches: GoldenTensor[]; results: ObserverResult[] };
    int4_groups: {
      weight: GoldenTensor;
      group_size: number;
      scale: GoldenTensor;
      q: GoldenTensor;
      value: GoldenTensor;
    }[];
  };
};

/** One number, or one for each index of an axis, so that it broadcasts to a tensor. */
function along(value: GoldenTensor | number, { x, axis }: QuantizeCase): tf.Tensor {
  const numbers = typeof value === 'number' ? tf.tensor1d([value]) : tf.cast(tensorOf(value), 'float32');
  return tf.reshape(
    numbers,
    x.shape.map((_, i) => (i === axis ? numbers.size : 1)),
  );
}

const gridOf = (one: QuantizeCase) => ({
  scale: along(one.scale, one),
  zeroPoint: along(one.zero_point, one),
  range: [one.quant_min, one.quant_max] as const,
});

const texts = ({ quant_min, quant_max, axis = null, x, scale }: QuantizeCase): string =>
  `[${quant_min}, ${quant_max}], axis ${axis}, [${x.shape}], ${typeof scale === 'number' ? scale : 'scales'}`;

const exact = (actual: tf.Tensor, expected: GoldenTensor): void =>
  // torch has no negative zeros here.
  expect(flatten(actual).map((x) => x + 0)).toEqual(flatten(tensorOf(expected)).map((x) => x + 0));

describe('fake quantization, by the numbers of torch', () => {
  const cases = [...quantize.per_tensor, ...quantize.per_channel];
  it.each(cases.map((one) => [texts(one), one] as const))('%s: value and gradient to the bit', (_, one) => {
    inTidy(() => {
      const grid = gridOf(one);
      const x = tensorOf(one.x);
      const f = (x: tf.Tensor): tf.Tensor => fakeQuantizeOp(x, grid);
      exact(f(x), one.y);
      exact(tf.grad(f)(x, tensorOf(one.dy)), one.dx);
    });
  });

  it('keeps NaN and limits infinity, where torch takes the smallest number for each', () => {
    inTidy(() => {
      const { x, y, dx_of_sum: dx } = quantize.quirk;
      const numbers = tensorOf(x);
      const grid = { scale: tf.tensor1d([1]), zeroPoint: tf.tensor1d([0]), range: [-128, 127] as const };
      const f = (x: tf.Tensor): tf.Tensor => fakeQuantizeOp(x, grid);
      const wanted = flatten(tensorOf(y));
      wanted[12] = Number.NaN;
      wanted[13] = 127;
      wanted[15] = 127;
      const given = flatten(numbers);
      expect([given[12], given[13], given[15]]).toEqual([
        Number.NaN,
        Number.POSITIVE_INFINITY,
        Math.fround(1e20),
      ]);
      expect(flatten(f(numbers)).map((x) => x + 0)).toEqual(wanted);
      exact(tf.grad((x) => tf.sum(f(x)))(numbers), dx);
    });
  });

  it.each(quantize.learnable.map((one) => [`${texts(one)}, factor ${one.grad_factor}`, one] as const))(
    'learned, %s: value and gradients',
    (_, one) => {
      inTidy(() => {
        const { range } = gridOf(one);
        const f = (x: tf.Tensor, scale: tf.Tensor, zeroPoint: tf.Tensor): tf.Tensor =>
          learnedFakeQuantizeOp(x, { scale, zeroPoint, range }, one.grad_factor);
        const { scale, zeroPoint } = gridOf(one);
        const x = tensorOf(one.x);
        exact(f(x, scale, zeroPoint), one.y);
        const [dx, dscale, dpoint] = tf.grads(f)([x, scale, zeroPoint], tensorOf(one.dy));
        exact(dx!, one.dx);
        expect(flatten(dscale!)).toBeAllClose(flatten(tensorOf(one.dscale)), {
          relative: 1e-5,
          absolute: 2e-5,
        });
        expect(flatten(dpoint!)).toBeAllClose(flatten(tensorOf(one.dzero_point)), {
          relative: 1e-5,
          absolute: 1e-6,
        });
      });
    },
  );

  it.each(quantize.lsq_paper.map((one) => [`[${-one.qn}, ${one.qp}]`, one] as const))(
    'begins with the scale of LSQ and has its value and its factor: %s',
    (_, one) => {
      inTidy(() => {
        const v = tensorOf(one.v);
        const map = new FakeQuantize(tf.slice(v, 0, 30), { learned: true, range: [-one.qn, one.qp] });
        expect(flatten(map.scale)[0]).toBeCloseTo(one.initial_scale_of_first_30, 6);
        const whole = new FakeQuantize(v, { learned: true, range: [-one.qn, one.qp] });
        (whole.scale as tf.Variable).assign(tf.tensor1d([one.scale]));
        exact(whole.call(v), one.value);
        // Below the range, the gradient of y to the scale is that of the end.
        const below = tf.fill([36], -1e6);
        const { grads } = tf.variableGrads(() => tf.sum(whole.call(below)), [whole.scale as tf.Variable]);
        expect(flatten(Object.values(grads)[0]!)[0]).toBeCloseTo(-36 * one.qn * one.grad_scale, 3);
        map.dispose();
        whole.dispose();
      });
    },
  );

  it.each(quantize.lsq_paper.map((one) => [`[${-one.qn}, ${one.qp}]`, one] as const))(
    'has the gradients of LSQ, but within half a step beyond an end, where it rounds first as torch does: %s',
    (_, one) => {
      inTidy(() => {
        const range = [-one.qn, one.qp] as const;
        const f = (v: tf.Tensor, scale: tf.Tensor): tf.Tensor =>
          learnedFakeQuantizeOp(v, { scale, zeroPoint: tf.tensor1d([0]), range }, one.grad_scale);
        const v = tensorOf(one.v);
        const [dv, dscale] = tf.grads(f)([v, tf.tensor1d([one.scale])], tensorOf(one.dy));
        const [dy, steps] = [flatten(tensorOf(one.dy)), flatten(v).map((x) => x / one.scale)];
        const [own, paper] = [flatten(dv!), flatten(tensorOf(one.dv))];
        let more = 0;
        for (const [i, u] of steps.entries()) {
          const end = u <= 0 ? -one.qn : one.qp;
          const beyond = Math.abs(u) - Math.abs(end);
          const isAtEnd = beyond >= 0 && beyond <= 0.5;
          expect(own[i]! + 0, `${u}`).toBe((isAtEnd ? dy[i]! : paper[i]!) + 0);
          if (isAtEnd) more += dy[i]! * u;
        }
        // There, the paper has the end, and torch the end less the number of steps.
        expect(flatten(dscale!)[0]! + one.grad_scale * more).toBeCloseTo(one.dscale, 4);
      });
    },
  );

  const optionsFor = (one: ObserverResult): FakeQuantizeOptions => {
    const { observer } = one;
    const average = observer.match(/moving average ([\d.]+)/);
    const axis = observer.match(/per channel (\d)/);
    return {
      symmetric: observer.includes('symmetric'),
      range: [one.quant_min, one.quant_max],
      dim: axis ? Number(axis[1]) : observer.startsWith('per channel') ? 0 : null,
      observer: average ? 'movingAverage' : 'minMax',
      ...(average && { averagingConstant: Number(average[1]) }),
    };
  };
  it.each(quantize.observers.results.map((one) => [one.observer, one] as const))(
    'has the scales of the observer: %s',
    (_, one) => {
      inTidy(() => {
        const [first, ...rest] = (one.batch ? [one.batch] : quantize.observers.batches).map(tensorOf);
        const map = new FakeQuantize(first!, optionsFor(one));
        for (const batch of rest) map.call(batch);
        exact(map.min_val!, one.min);
        exact(map.max_val!, one.max);
        exact(map.scale, one.scale);
        exact(map.zero_point, one.zero_point);
        map.dispose();
      });
    },
  );

  it.each(quantize.int4_groups.map((one) => [one.group_size, one] as const))(
    'has int4 in groups of %i',
    (_, one) => {
      const host = { weight: tf.tidy(() => tf.variable(tensorOf(one.weight))) as tf.Tensor };
      fakeQuantize(host, 'weight', { bits: 4, groupSize: one.group_size });
      const map = parametrizationsOn(host, 'weight')[0] as FakeQuantize;
      inTidy(() => {
        exact(map.scale, one.scale);
        exact(host.weight, one.value);
        const { scale, zeroPoint } = map.currentGrid();
        const [steps, sizes] = [map.layout.split(host.weight), map.layout.broadcast(scale)];
        exact(tf.reshape(tf.round(tf.div(steps, sizes)), [...one.q.shape]), one.q);
        expect(Math.max(...flatten(tf.abs(zeroPoint)))).toBe(0);
      });
      expect(map.scale.shape).toEqual(one.scale.shape);
      disposeHost(host);
    },
  );
});
