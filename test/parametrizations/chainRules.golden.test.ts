import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import {
  nn,
  type ParametrizationLike,
  parametrizationsOn,
  registerParametrization,
  removeParametrizations,
  Symmetric,
} from '../../src/index.ts';
import golden from '../golden/chains.json' with { type: 'json' };
import { inTidy, read, SumOfThree } from '../parametrize/fixtures.ts';
import { failure } from '../parametrize/unchanged.ts';

// What torch refuses, and the keys of a nested model, against real PyTorch 1.13.

const double: ParametrizationLike = { forward: (x) => tf.mul(x, 2), rightInverse: (x) => tf.div(x, 2) };
const shorter = (x: tf.Tensor): tf.Tensor => tf.slice(x, 0, 3);
// tfjs has one float dtype only: where torch's cases turn to float64, ours turn to int32.
const toInteger = (x: tf.Tensor): tf.Tensor => tf.cast(x, 'int32');

/** Each golden error: what is registered on a 4×4 weight in this order, and our code for the last. */
const refusals: Readonly<Record<string, { maps: readonly ParametrizationLike[]; code: string | null }>> = {
  'shape change': { maps: [shorter], code: 'SHAPE' },
  'dtype change': { maps: [toInteger], code: 'DTYPE' },
  'right_inverse dtype change': {
    maps: [{ forward: (x) => tf.cast(x, 'float32'), rightInverse: toInteger }],
    code: 'DTYPE',
  },
  'right_inverse inconsistent is allowed': {
    maps: [{ forward: (x) => tf.mul(x, 2), rightInverse: (x) => tf.add(x, 1) }],
    code: null,
  },
  'add changing shape on top': { maps: [double, shorter], code: 'SHAPE' },
};

describe('registration refuses what torch refuses', () => {
  it('in every golden case', () => {
    expect(Object.keys(refusals).sort()).toEqual(golden.errors.map(({ label }) => label).sort());
  });

  it.each(golden.errors)('$label', (torch) => {
    const { maps, code } = refusals[torch.label]!;
    const host = new nn.Linear(4, 4);
    for (const map of maps.slice(0, -1)) registerParametrization(host, 'weight', map);
    expect(torch.ok === true).toBe(code === null);
    const register = () => registerParametrization(host, 'weight', maps.at(-1)!);
    if (code === null) {
      register();
      inTidy(() => expect(host.weight.shape).toEqual([4, 4]));
    } else expect(failure(register, host)).toMatch(`${code}: registerParametrization: `);
    host.dispose();
  });

  it('unless it is unsafe, for a shape', () => {
    const host = new nn.Linear(4, 4);
    registerParametrization(host, 'weight', shorter, { unsafe: true });
    inTidy(() => expect(host.weight.shape).toEqual([3, 4]));
    host.dispose();
  });
});

describe('a nested model', () => {
  // Their parametrizations are not made here: the base of an orthogonal map, the vectors of a spectral norm.
  const leftOut = [
    '2.0.parametrizations.weight.0.base',
    '3.parametrizations.weight.0._u',
    '3.parametrizations.weight.0._v',
  ];

  it("has torch's keys in torch's order", () => {
    const [torch] = golden.nested;
    const [first, inner, batchNorm, last] = [
      new nn.Linear(3, 4),
      new nn.Linear(4, 4),
      new nn.BatchNorm1d(4),
      new nn.Linear(4, 2),
    ];
    const model = new nn.Sequential(first, new nn.ReLU(), new nn.Sequential(inner, batchNorm), last);
    registerParametrization(first, 'weight', double);
    registerParametrization(inner, 'weight', new Symmetric());
    registerParametrization(last, 'weight', double);
    registerParametrization(last, 'bias', double);
    const state = Object.entries(model.stateDict());
    expect(state.map(([key]) => key)).toEqual(torch!.keys.filter((key) => !leftOut.includes(key)));
    const shapes = torch!.state_dict as Readonly<Record<string, { shape: number[] }>>;
    for (const [key, tensor] of state) expect(tensor.shape, key).toEqual(shapes[key]!.shape);
    model.dispose();
  });
});

describe('a parametrized buffer of a batch norm', () => {
  it('stays a buffer through registration and removal, and trains nothing', () => {
    const layer = new nn.BatchNorm1d(3);
    const parameters = layer.parameters();
    const before = read(layer, 'running_var');
    registerParametrization(layer as nn.Module, 'running_var', new SumOfThree());
    const originals = ['original0', 'original1', 'original2'];
    expect(layer.namedBuffers().map(([name]) => name)).toEqual([
      'running_mean',
      'num_batches_tracked',
      ...originals.map((name) => `parametrizations.running_var.${name}`),
    ]);
    expect(layer.parameters()).toEqual(parameters);
    const list = parametrizationsOn(layer, 'running_var') as unknown as Record<string, tf.Variable>;
    expect(originals.map((name) => list[name]!.trainable)).toEqual([false, false, false]);
    removeParametrizations(layer, 'running_var');
    expect(layer.namedBuffers().map(([name]) => name)).toContain('running_var');
    expect(layer.parameters()).toEqual(parameters);
    expect(read(layer, 'running_var')).toEqual(before);
    layer.dispose();
  });
});
