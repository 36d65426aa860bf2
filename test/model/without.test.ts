import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import {
  nn,
  parametrizationsOn,
  pure,
  registerParametrization,
  SpectralNorm,
  spectralNorm,
  symmetric,
  weightNorm,
  without,
} from '../../src/index.ts';
import { syncModel } from '../../src/layers/index.ts';
import { spectralNorm as legacySpectralNorm } from '../../src/legacy/index.ts';
import { AddOne, Affine, Double, inTidy, read, Scaled } from '../parametrize/fixtures.ts';
import { failure } from '../parametrize/unchanged.ts';

/** `2w + 1`. */
const make = (): Affine => {
  const host = new Affine();
  registerParametrization(host, 'weight', new Double());
  registerParametrization(host, 'weight', new AddOne());
  return host;
};
const original = (host: Affine): unknown =>
  inTidy(() => parametrizationsOn(host, 'weight').original!.arraySync());
const expectValue = (host: Affine, map: (x: tf.Tensor) => tf.Tensor): void =>
  inTidy(() => void expect(host.weight).toBeAllClose(map(tf.tensor(original(host) as number[][]))));

const whole = (x: tf.Tensor): tf.Tensor => tf.add(tf.mul(x, 2), 1);
const doubled = (x: tf.Tensor): tf.Tensor => tf.mul(x, 2);
const plusOne = (x: tf.Tensor): tf.Tensor => tf.add(x, 1);

/** A promise, and the functions that settle it. */
function gate(): { promise: Promise<void>; open: () => void; fail: (error: Error) => void } {
  let [open, fail]: [() => void, (error: Error) => void] = [() => {}, () => {}];
  const promise = new Promise<void>((resolve, reject) => {
    [open, fail] = [resolve, reject];
  });
  return { promise, open, fail };
}

describe('without', () => {
  it('skips steps while the function runs, whatever it does, and adds up with nested calls', () => {
    const host = make();
    const list = parametrizationsOn(host, 'weight');
    const [state, parameters] = [Object.entries(host.stateDict()), host.parameters()];
    const result = without(host, { step: AddOne }, () => {
      expectValue(host, doubled);
      without(host, { step: 0 }, () => expectValue(host, tf.clone));
      without(host, { step: -1 }, () => expectValue(host, doubled));
      expectValue(host, doubled);
      expect(Object.entries(host.stateDict())).toEqual(state);
      expect([host.parameters(), list.length]).toEqual([parameters, 2]);
      return 7;
    });
    expect(result).toBe(7);
    expectValue(host, whole);
    without(host, {}, () => expectValue(host, tf.clone));
    const work = (): never => {
      expectValue(host, plusOne);
      throw new Error('mine');
    };
    expect(failure(() => without(host, { step: Double }, work), host, list)).toBe('Error: mine');
    expectValue(host, whole);
    host.dispose();
  });

  it('gives a value of its own if no step is left, with the gradient of the original', () => {
    const host = new Affine();
    registerParametrization(
      host,
      'weight',
      pure((x) => tf.mul(x, 2)),
    );
    const variable = parametrizationsOn(host, 'weight').original!;
    const before = host.weight;
    const seen = without(host, {}, () => {
      expect(host.weight).toBe(host.weight);
      inTidy(() => {
        const { grads } = tf.variableGrads(() => tf.sum(host.weight) as tf.Scalar, [variable]);
        expect(grads[variable.name]).toBeAllClose(tf.ones([3, 3]));
      });
      return host.weight;
    });
    expect([seen === variable, before.isDisposed]).toEqual([false, true]);
    inTidy(() => expect(host.weight).toBeAllClose(tf.mul(variable, 2)));
    expect([seen.isDisposed, variable.isDisposed]).toEqual([true, false]);
    const zeros = tf.zeros([3, 3]);
    variable.assign(zeros);
    zeros.dispose();
    expect(read(host)).toEqual([0, 1, 2].map(() => [0, 0, 0]));
    host.dispose();
  });

  it('skips until the last of overlapping calls has settled, and refuses assignments and edits meanwhile', async () => {
    const host = make();
    const list = parametrizationsOn(host, 'weight');
    const gates = [gate(), gate(), gate()] as const;
    const [first, second, third] = [
      without(host, { step: Double }, () => gates[0].promise),
      without(host, { step: AddOne }, () => gates[1].promise),
      without(host, { step: Double }, () => gates[2].promise),
    ];
    expectValue(host, tf.clone);
    const value = tf.zeros([3, 3]);
    const map = new Scaled();
    for (const write of [
      () => (host.weight = value),
      () => registerParametrization(host, 'weight', map),
      () => host.loadStateDict({ weight: value, bias: host.bias }),
    ]) {
      expect(failure(write, host, list, map)).toMatch(/^(CONFLICT|STATE_DICT): .*are skipped at the moment/);
    }
    gates[0].open();
    await first;
    expectValue(host, tf.clone);
    gates[1].fail(new Error('mine'));
    await expect(second).rejects.toThrow('mine');
    expectValue(host, plusOne);
    gates[2].open();
    await third;
    expectValue(host, whole);
    host.weight = value;
    inTidy(() => expect(host.weight).toBeAllClose(value));
    value.dispose();
    map.dispose();
    host.dispose();
  });

  it('takes the tensors of a selector that have the step, by its kind or class', () => {
    const model = new nn.Sequential(
      spectralNorm(new nn.Linear(2, 2)),
      new nn.Linear(2, 2),
      symmetric(spectralNorm(new nn.Linear(2, 2))),
      weightNorm(new nn.Linear(2, 2)),
    ).eval();
    const values = (): number[][] =>
      model.children().map((layer) => inTidy(() => Array.from((layer as nn.Linear).weight.dataSync())));
    const before = values();
    const changed = (steps: Parameters<typeof without>[1]): number[] =>
      without(model, steps, values).flatMap((value, i) => (String(value) === String(before[i]) ? [] : [i]));
    expect(changed({ step: 'spectralNorm' })).toEqual([0, 2]);
    expect(changed({ step: SpectralNorm, exclude: '0' })).toEqual([2]);
    expect(changed({ match: ['0', '1'], name: 'weight' })).toEqual([0]);
    expect(values()).toEqual(before);
    const layers = model.children();
    const wrong = (steps: object): string => failure(() => without(model, steps, values), model, ...layers);
    expect([
      wrong({ match: '7' }),
      wrong({ step: 'lora' }),
      wrong({ match: '1' }),
      wrong({ step: 'weightNorm' }),
      wrong({ steps: 0 }),
      failure(() => without(model, {}, Promise.resolve(1) as never)),
    ]).toMatchInlineSnapshot(`
      [
        "UNMATCHED_RULE: without: '7' matches nothing; nearest: '0', '1', '2'. describe(model, { unparametrized: true }) lists the tensors.",
        "UNMATCHED_RULE: without: no selected tensor has the step 'lora'. describe(model, { unparametrized: true }) lists the tensors.",
        "UNMATCHED_RULE: without: no selected tensor is parametrized. describe(model, { unparametrized: true }) lists the tensors.",
        "OPTION: without: Linear.weight has 2 originals, which only WeightNorm can take. Skip later parametrizations only.",
        "OPTION: without: 'steps' is not an option. Did you mean 'step'? It has: match, type, exclude, name, step.",
        "NOT_A_FUNCTION: without: expected a function, got a promise, whose work began outside of the scope. Pass the function itself: without(model, steps, async () => { … }).",
      ]
    `);
    model.dispose();
  });

  it('refuses tensors of the hook API, and finds the chains of originals in their list', () => {
    const hooked = legacySpectralNorm(new nn.Linear(2, 2));
    expect(failure(() => without(hooked, {}, () => 1), hooked)).toMatch('ALREADY_PARAMETRIZED: without: ');
    hooked.dispose();
    const host = make();
    const list = parametrizationsOn(host, 'weight');
    registerParametrization(list, 'original', new AddOne());
    const before = read(host);
    without(list, { step: AddOne }, () => {
      inTidy(() => expect(host.weight).toBeAllClose(tf.sub(tf.tensor(before as number[][]), 2)));
    });
    expect(read(host)).toEqual(before);
    host.dispose();
  });

  it('trains layers of tf.layers through the other steps', async () => {
    const layer = tf.layers.dense({ units: 2, inputShape: [2], useBias: false });
    const model = tf.sequential({ layers: [layer] });
    const double = new Double();
    registerParametrization(layer, 'kernel', double);
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    syncModel(model);
    const [x, y] = [tf.eye(2), tf.ones([2, 2])];
    const value = (): number[] => inTidy(() => Array.from((model.predict(x) as tf.Tensor).dataSync()));
    const before = value();
    const calls = () => double.calls;
    const [inside, ran] = await without(model, { step: Double }, async () => {
      const at = calls();
      await model.fit(x, y, { epochs: 1, verbose: 0 });
      return [value(), calls() - at] as const;
    });
    expect(ran).toBe(0);
    expect(inside).not.toEqual(before.map((number) => number / 2));
    expect(value()).toEqual(inside.map((number) => number * 2));
    model.optimizer.dispose();
    model.dispose();
    tf.dispose([x, y]);
  });
});
