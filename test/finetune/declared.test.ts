import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { parametrizationsOf, parametrized } from '../../src/decorators/index.ts';
import {
  type DropConnect,
  describe as describeModel,
  dora,
  dropConnect,
  lora,
  loraBias,
  nn,
  type Prune,
  parametrizationsOn,
  parametrize,
  prune,
} from '../../src/index.ts';
import '../../src/layers/index.ts';
import { inTidy } from '../parametrize/fixtures.ts';
import { flatten } from '../toBeAllClose.ts';

const zerosIn = (x: tf.Tensor): number => inTidy(() => flatten(x).filter((one) => one === 0).length);

describe('decorators', () => {
  class Net extends nn.Module {
    @parametrized(prune, { fraction: 0.25 })
    @parametrized(prune, { fraction: 0.5 })
    pruned: tf.Tensor = nn.parameter(() => tf.range(1, 17).reshape([4, 4]));

    @parametrized(dropConnect, { p: 0.5 })
    @parametrized(prune, { nOfM: [2, 4] })
    dropped: tf.Tensor = nn.parameter(() => tf.ones([64, 4]));

    @parametrized(dropConnect, { p: 0.25, name: 'weight_hh_l0' })
    lstm: nn.LSTM = new nn.LSTM(2, 3);

    override forward(): tf.Tensor {
      return this.pruned;
    }
  }

  it('prune once more with each line, from the field up, and drop above a mask', () => {
    nn.manualSeed(1);
    const net = new Net();
    expect(zerosIn(net.pruned)).toBe(10);
    expect(parametrizationsOn(net, 'pruned')).toHaveLength(1);
    const map = parametrizationsOn(net, 'pruned')[0] as Prune;
    expect(zerosIn(map.mask)).toBe(10);
    expect([...parametrizationsOn(net, 'dropped')].map((one) => one.constructor.name)).toEqual([
      'Prune',
      'DropConnect',
    ]);
    inTidy(() => {
      const first = net.dropped;
      expect(new Set(flatten(first))).toEqual(new Set([0, 2]));
      expect(zerosIn(first)).toBeGreaterThan(128);
      expect(flatten(net.dropped)).not.toEqual(flatten(first));
    });
    net.eval();
    expect(zerosIn(net.dropped)).toBe(128);
    expect((parametrizationsOn(net.lstm, 'weight_hh_l0')[0] as DropConnect).p).toBe(0.25);
    expect(Object.keys(net.stateDict())).toContain('parametrizations.pruned.0.mask');
    net.dispose();
  });

  it('are read back from the class', () => {
    expect(String(JSON.stringify(parametrizationsOf(Net)))).toContain('pruned');
    const other = new Net();
    const net = new Net();
    net.loadStateDict(other.stateDict());
    inTidy(() => expect(flatten(net.pruned)).toEqual(flatten(other.pruned)));
    for (const one of [net, other]) one.dispose();
  });

  it('make adapters of weights and biases of modules', () => {
    class Tuned extends nn.Module {
      @parametrized(loraBias, { rank: 2, name: 'bias' })
      @parametrized(dora, { rank: 2 })
      layer: nn.Linear = new nn.Linear(4, 3);

      @parametrized(lora, { rank: 2 })
      other: nn.Linear = new nn.Linear(4, 3);

      override forward(x: tf.Tensor): tf.Tensor {
        return this.layer.call(x);
      }
    }
    const net = new Tuned();
    expect(describeModel(net).rows.map(({ chain }) => chain)).toEqual([
      ['Dora(default: rank=2, alpha=2)'],
      ['LoraBias(default: rank=2, alpha=2)'],
      ['Lora(default: rank=2, alpha=2)'],
    ]);
    expect(
      net
        .namedParameters()
        .filter(([, { trainable }]) => trainable)
        .map(([key]) => key),
    ).toEqual([
      'layer.parametrizations.weight.0.lora_A.default',
      'layer.parametrizations.weight.0.lora_B.default',
      'layer.parametrizations.weight.0.lora_magnitude_vector.default',
      'layer.parametrizations.bias.0.lora_bias.default',
      'other.bias',
      'other.parametrizations.weight.0.lora_A.default',
      'other.parametrizations.weight.0.lora_B.default',
    ]);
    net.dispose();
  });
});

describe('rules of parametrize', () => {
  const rules = {
    lora: { apply: lora, options: { rank: 2 } },
    dora: { apply: dora, options: { rank: 2 } },
    loraBias: { name: 'bias', apply: loraBias, options: { rank: 2 } },
    prune: { apply: prune, options: { fraction: 0.5 } },
    dropConnect: { apply: dropConnect, options: { p: 0.25 } },
  };
  const chains = {
    lora: 'Lora(default: rank=2, alpha=2)',
    dora: 'Dora(default: rank=2, alpha=2)',
    loraBias: 'LoraBias(default: rank=2, alpha=2)',
    prune: ['cpu', 'wasm'].includes(tf.getBackend()) ? 'Prune(sparsity=0.5)' : 'Prune()',
    dropConnect: 'DropConnect(p=0.25)',
  };
  const models = {
    'a module': [() => new nn.Sequential(new nn.Linear(6, 4), new nn.Linear(4, 4)), nn.Linear],
    'a model of tf.layers': [
      () =>
        tf.sequential({
          layers: [tf.layers.dense({ units: 4, inputShape: [6] }), tf.layers.dense({ units: 4 })],
        }),
      'Dense',
    ],
  } as const;
  const cases = Object.keys(rules).flatMap((map) =>
    Object.keys(models).map((model) => [map as keyof typeof rules, model as keyof typeof models] as const),
  );
  it.each(cases)('register %s on %s once, as a plan and at once, and undo it', (map, name) => {
    const [make, type] = models[name];
    const model = make();
    const rule = [{ type, ...rules[map] }] as never;
    const rows = (): (readonly string[])[] => describeModel(model).rows.map(({ chain }) => chain);
    expect(parametrize(model, rule, { dryRun: true }).registered).toHaveLength(2);
    expect(rows()).toEqual([]);
    const report = parametrize(model, rule);
    expect(report.registered).toHaveLength(2);
    expect(rows()).toEqual([[chains[map]], [chains[map]]]);
    expect(parametrize(model, rule).unchanged).toHaveLength(2);
    report.undo();
    expect(rows()).toEqual([]);
    model.dispose();
  });
});
