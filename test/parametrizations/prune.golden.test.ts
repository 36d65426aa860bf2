import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { nn, parametrizationsOn, prune, removeParametrization } from '../../src/index.ts';
import { roundHalfToEven } from '../../src/parametrizations/masks/amount.ts';
import golden from '../golden/prune.json' with { type: 'json' };
import { type GoldenTensor, tensorOf } from '../nn/golden.ts';
import { inTidy } from '../parametrize/fixtures.ts';
import { flatten, parseNumber } from '../toBeAllClose.ts';

interface Amount {
  readonly amount?: number;
  readonly amount_is?: string;
}

interface Step extends Amount {
  readonly verb: string;
  readonly dim?: number;
  readonly n?: number | string;
  readonly scores?: GoldenTensor;
  readonly given_mask?: GoldenTensor;
  readonly mask: GoldenTensor;
  readonly zeros: number;
  readonly random: boolean;
}

interface Case {
  readonly module: string;
  readonly tensor: string;
  readonly weight: GoldenTensor;
  readonly steps: readonly Step[];
  readonly keys: readonly string[];
  readonly value: GoldenTensor;
  readonly dy: GoldenTensor;
  readonly d_orig: GoldenTensor;
  readonly keys_after_remove: readonly string[];
}

type Host = nn.Module & Record<string, tf.Tensor>;

const modules: Readonly<Record<string, () => nn.Module>> = {
  Linear: () => new nn.Linear(7, 5),
  Conv1d: () => new nn.Conv1d(2, 6, 3),
  Conv2d: () => new nn.Conv2d(3, 4, [3, 2]),
  ConvTranspose2d: () => new nn.ConvTranspose2d(4, 3, 2),
  Embedding: () => new nn.Embedding(9, 4),
  LSTM: () => new nn.LSTM(3, 2),
};

const amountOf = ({ amount, amount_is: unit }: Amount): object =>
  amount === undefined ? {} : { [unit!]: amount };

/** The options of a step of torch. */
function optionsOf(step: Step): object {
  const { verb, dim, n, scores, given_mask: mask } = step;
  return {
    ...amountOf(step),
    ...(verb.startsWith('random') && { method: 'random' }),
    ...(dim !== undefined && { dim }),
    ...(n !== undefined && { norm: parseNumber(n) }),
    ...(scores && { scores: tensorOf(scores) }),
    ...(mask && { mask: tensorOf(mask) }),
  };
}

const maskOf = (host: object, tensor: string): tf.Tensor =>
  (parametrizationsOn(host, tensor)[0] as unknown as { mask: tf.Tensor }).mask;

const hostOf = (make: () => tf.Tensor): { weight: tf.Tensor } => ({
  weight: tf.tidy(() => tf.variable(make())),
});

const zerosIn = (values: readonly number[]): number => values.filter((value) => value === 0).length;

const cases = golden.cases as unknown as readonly Case[];

describe('prune, by the numbers of torch', () => {
  it.each(
    cases.map((one, i) => [i, one.module, one.steps.map(({ verb }) => verb).join(' then '), one] as const),
  )('%i: %s, %s', (_, name, __, { tensor, weight, steps, keys, value, dy, d_orig, keys_after_remove }) => {
    const host = modules[name]!() as Host;
    const variable = host[tensor] as tf.Variable;
    const plain = Object.keys(host.stateDict());
    inTidy(() => {
      variable.assign(tensorOf(weight));
      for (const step of steps) {
        prune(host as nn.Module, tensor as never, optionsOf(step) as never);
        const mask = maskOf(host, tensor);
        expect(zerosIn(flatten(mask))).toBe(step.zeros);
        if (step.random) (mask as tf.Variable).assign(tensorOf(step.mask));
        else expect(flatten(mask)).toEqual(flatten(tensorOf(step.mask)));
      }
      expect(
        Object.keys(host.stateDict({ keyFormat: 'legacy' })).filter((key) => keys.includes(key)),
      ).toEqual(keys.filter((key) => plain.includes(key) || key.startsWith(tensor)));
      expect(flatten(host[tensor]!)).toEqual(flatten(tensorOf(value)));
      const { grads } = tf.variableGrads(() => tf.sum(tf.mul(host[tensor]!, tensorOf(dy))), [variable]);
      expect(flatten(grads[variable.name]!)).toEqual(flatten(tensorOf(d_orig)));
    });
    removeParametrization(host, tensor, 'prune');
    expect(Object.keys(host.stateDict())).toEqual(plain);
    expect(keys_after_remove.every((key) => plain.includes(key))).toBe(true);
    inTidy(() => expect(flatten(host[tensor]!)).toEqual(flatten(tensorOf(value))));
    host.dispose();
  });

  it.each(golden.rounding_half_to_even)('hides $pruned of $size for the $amount_is $amount', (one) => {
    const host = hostOf(() => tf.range(1, one.size + 1));
    prune(host, 'weight', amountOf(one));
    expect(zerosIn(flatten(host.weight))).toBe(one.pruned);
    if (one.amount_is === 'fraction') expect(roundHalfToEven(one.amount * one.size)).toBe(one.pruned);
    // The same from a mask that hides nothing, whose number of ones is a tensor.
    const again = hostOf(() => tf.range(1, one.size + 1));
    prune(again, 'weight');
    prune(again, 'weight', amountOf(one));
    expect(flatten(again.weight)).toEqual(flatten(host.weight));
    disposeAll(host, again);
  });

  it('scores the values that the originals have now, where torch scores those of the last forward', () => {
    const {
      orig,
      first_mask: first,
      right_mask: right,
    } = golden.stale_scores as unknown as Record<string, GoldenTensor>;
    const host = hostOf(() => tf.zeros([...orig!.shape]));
    const mask = tensorOf(first!);
    prune(host, 'weight', { mask });
    const values = tensorOf(orig!);
    parametrizationsOn(host, 'weight').original!.assign(values);
    prune(host, 'weight', { fraction: 0.5 });
    inTidy(() => expect(flatten(maskOf(host, 'weight'))).toEqual(flatten(tensorOf(right!))));
    tf.dispose([mask, values]);
    disposeAll(host);
  });

  it.each(golden.n_of_m.map((one) => [`${one.n}:${one.m} of [${one.weight.shape}]`, one] as const))(
    'keeps %s',
    (_, one) => {
      const host = hostOf(() => tensorOf(one.weight));
      prune(host, 'weight', { nOfM: [one.n, one.m], dim: one.dim });
      inTidy(() => expect(flatten(maskOf(host, 'weight'))).toEqual(flatten(tensorOf(one.mask))));
      disposeAll(host);
    },
  );
});

/** Frees hosts with a parametrized weight. */
function disposeAll(...hosts: readonly object[]): void {
  for (const host of hosts) (host as { parametrizations: { dispose(): void } }).parametrizations.dispose();
}
