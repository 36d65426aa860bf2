import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { mergeAdapters, setAdapters, unloadAdapters } from '../../../src/finetune/index.ts';
import {
  cached,
  dora,
  fakeQuantize,
  isParametrized,
  type Lora,
  lora,
  minimize,
  nn,
  parametrizationsOn,
  parametrize,
  prune,
  unitNorm,
  valueOf,
  weightNorm,
} from '../../../src/index.ts';
import '../../../src/layers/index.ts';
import { flatten } from '../../toBeAllClose.ts';

const numbersOf = (host: object, name: string): number[] => tf.tidy(() => flatten(valueOf(host, name)));

/** Gives all adapters of a model other numbers. */
function randomize(model: nn.Module): void {
  tf.tidy(() => {
    for (const [key, variable] of model.namedParameters()) {
      if (key.includes('.lora_'))
        variable.assign(tf.randomNormal(variable.shape, 0.5, 1, 'float32', key.length));
    }
  });
}

function twoLayers(): nn.Sequential {
  nn.manualSeed(1);
  const model = new nn.Sequential(new nn.Linear(4, 5), new nn.Linear(5, 3));
  for (const adapter of ['digits', 'letters']) {
    parametrize(model, [{ type: nn.Linear, apply: lora, options: { rank: 2, adapter } }]);
  }
  randomize(model);
  return model;
}

const layerOf = (model: nn.Sequential, index = 0): nn.Linear => model[index] as nn.Linear;
const values = (model: nn.Sequential): number[][] =>
  [0, 1].map((i) => numbersOf(layerOf(model, i), 'weight'));

describe('setAdapters', () => {
  it('makes one, several or none active on the whole model', () => {
    const model = twoLayers();
    const base = numbersOf(parametrizationsOn(layerOf(model), 'weight'), 'original');
    setAdapters(model, null);
    const none = numbersOf(layerOf(model), 'weight');
    expect(none).toEqual(base);
    setAdapters(model, 'digits');
    const digits = numbersOf(layerOf(model), 'weight');
    setAdapters(model, 'letters');
    const letters = numbersOf(layerOf(model), 'weight');
    // Stale values would be equal, and fulfil what follows.
    expect(digits).not.toEqual(none);
    expect(letters).not.toEqual(digits);
    setAdapters(model, { digits: 0.7, letters: -0.3 });
    expect(numbersOf(layerOf(model), 'weight')).toBeAllClose(
      none.map((x, i) => x + 0.7 * (digits[i]! - x) - 0.3 * (letters[i]! - x)),
    );
    model.dispose();
  });

  it('refuses unknown names, weights and several lengths, and changes nothing then', () => {
    const model = twoLayers();
    const before = values(model);
    const refused = (active: unknown): string => {
      try {
        setAdapters(model, active as never);
      } catch (error) {
        return (error as Error).message;
      }
      return 'nothing';
    };
    expect(['digit', { digits: 1, words: 1 }, { digits: Number.NaN }, 3].map(refused)).toMatchInlineSnapshot(`
      [
        "setAdapters: the model has no adapter 'digit'. Did you mean 'digits'? It has: digits, letters.",
        "setAdapters: the model has no adapter 'words'. It has: digits, letters.",
        "lora: the weight of 'digits' is NaN. Pass a finite number.",
        "setAdapters: the active adapters are number. Pass a name, an object with weights by name, or null: 'digits', { digits: 0.7 }.",
      ]
    `);
    const other = new nn.Sequential(new nn.Linear(4, 3));
    dora(layerOf(other), { rank: 1, adapter: 'a' });
    dora(layerOf(other), { rank: 1, adapter: 'b' });
    expect(() => setAdapters(other, { a: 1, b: 1 })).toThrow(/together/);
    expect(values(model)).toEqual(before);
    for (const one of [model, other]) one.dispose();
  });

  it('lets two tasks that switch in one cached scope read their own, each time', async () => {
    const model = twoLayers();
    const layer = layerOf(model);
    setAdapters(model, 'digits');
    const own = { digits: numbersOf(layer, 'weight'), letters: [] as number[] };
    setAdapters(model, 'letters');
    own.letters = numbersOf(layer, 'weight');
    expect(own.letters).not.toEqual(own.digits);
    const task = async (name: 'digits' | 'letters'): Promise<void> => {
      for (let i = 0; i < 5; i++) {
        setAdapters(model, name);
        const value = layer.weight;
        expect(flatten(value)).toEqual(own[name]);
        await Promise.resolve();
      }
    };
    await cached(() => Promise.all([task('digits'), task('letters')]));
    model.dispose();
  });

  it('leaks nothing over 10,000 switches', () => {
    const layer = new nn.Linear(1, 2, { bias: false });
    lora(layer, { rank: 1, adapter: 'a' });
    lora(layer, { rank: 1, adapter: 'b' });
    expect(layer.weight.shape).toEqual([2, 1]);
    const { numTensors } = tf.memory();
    for (let i = 0; i < 10_000; i++) {
      setAdapters(layer, i % 2 ? 'a' : 'b');
      // An odd number, so that the reads see both.
      if (i % 99 === 0) expect(layer.weight.shape).toEqual([2, 1]);
    }
    expect(tf.memory().numTensors).toBe(numTensors);
    layer.dispose();
  });

  it('keeps the moments of an optimizer with their adapter', () => {
    const run = (isSwitched: boolean): number[] => {
      const model = twoLayers();
      const optimizer = tf.train.adam(0.1);
      const x = tf.ones([2, 4]);
      const step = (): void => {
        minimize(optimizer, () => tf.mean(tf.square(model.call(x) as tf.Tensor)) as tf.Scalar, model);
      };
      setAdapters(model, 'digits');
      step();
      if (isSwitched) {
        setAdapters(model, null);
        setAdapters(model, 'digits');
      }
      step();
      const result = numbersOf(layerOf(model), 'weight');
      optimizer.dispose();
      x.dispose();
      model.dispose();
      return result;
    };
    expect(run(true)).toEqual(run(false));
  });

  it('trains one adapter after the other, and the others keep every bit', () => {
    const model = twoLayers();
    const optimizer = tf.train.adam(0.1);
    const x = tf.ones([2, 4]);
    const factors = (name: string): number[][] =>
      Object.values((parametrizationsOn(layerOf(model), 'weight')[0] as Lora).dictionaries()).map((dict) =>
        flatten(dict.get(name)!),
      );
    for (const [name, other] of [
      ['digits', 'letters'],
      ['letters', 'digits'],
    ] as const) {
      setAdapters(model, name);
      const [own, others] = [factors(name), factors(other)];
      for (let i = 0; i < 2; i++) {
        // biases have moments too
        minimize(optimizer, () => tf.mean(tf.square(model.call(x) as tf.Tensor)) as tf.Scalar, model);
      }
      expect(factors(other)).toEqual(others);
      expect(factors(name)).not.toEqual(own);
    }
    optimizer.dispose();
    x.dispose();
    model.dispose();
  });
});

describe('mergeAdapters', () => {
  const chains: Record<string, (layer: nn.Linear) => void> = {
    'lora alone': (layer) => void lora(layer, { rank: 2 }),
    'dora alone': (layer) => void dora(layer, { rank: 2 }),
    'lora above weight norm': (layer) => {
      weightNorm(layer);
      lora(layer, { rank: 2 });
    },
    'lora below unit norm': (layer) => {
      lora(layer, { rank: 2 });
      unitNorm(layer, { axis: 1 });
    },
    'one of two active adapters': (layer) => {
      lora(layer, { rank: 2 });
      lora(layer, { rank: 2, adapter: 'other' });
      setAdapters(layer, { default: 1, other: 2 });
    },
  };

  it('gives the buffers back that a map below the adapter has changed, and the masked originals', async () => {
    const chains: readonly ((layer: nn.Linear) => void)[] = [
      (layer) => fakeQuantize(layer, { bits: 4, dim: 0, symmetric: false }),
      (layer) => fakeQuantize(layer, { bits: 4, observer: 'minMax' }),
      (layer) => prune(layer, { fraction: 0.5 }),
    ];
    for (const register of chains) {
      nn.manualSeed(4);
      const layer = new nn.Linear(6, 4);
      register(layer);
      lora(layer, { rank: 2 });
      lora(layer, { rank: 1, adapter: 'other' });
      randomize(layer);
      layer.eval();
      const stateOf = (): unknown =>
        tf.tidy(() =>
          Object.fromEntries(
            Object.entries(layer.stateDict()).map(([key, tensor]) => [key, flatten(tensor)]),
          ),
        );
      for (const active of ['default', { default: 0.5, other: 2 }]) {
        setAdapters(layer, active);
        const [state, value] = [stateOf(), numbersOf(layer, 'weight')];
        const merged = await mergeAdapters(layer);
        expect(stateOf()).not.toEqual(state);
        merged.unmerge();
        expect(numbersOf(layer, 'weight')).toEqual(value);
        expect(stateOf()).toEqual(state);
      }
      layer.dispose();
    }
  });

  it.each(Object.entries(chains))(
    '%s: keeps the value, and unmerge gives every bit back',
    async (name, register) => {
      nn.manualSeed(2);
      const model = new nn.Sequential(new nn.Linear(4, 5));
      const layer = layerOf(model);
      register(layer);
      randomize(model);
      const state = (): [string, number[]][] =>
        model.namedParameters().map(([key, variable]) => [key, tf.tidy(() => flatten(variable))]);
      const flags = (): boolean[] => model.parameters().map(({ trainable }) => trainable);
      const before = { state: state(), flags: flags(), value: numbersOf(layer, 'weight') };
      const options = name.startsWith('one of') ? { adapters: ['default'] } : {};
      const merged = await mergeAdapters(model, options);
      expect(merged.paths).toEqual(['0.weight']);
      expect(numbersOf(layer, 'weight')).toBeAllClose(before.value, { relative: 1e-6, absolute: 1e-6 });
      expect(model.namedParameters().some(([key]) => key.includes('default'))).toBe(false);
      merged.unmerge();
      merged.unmerge();
      const sorted = (pairs: [string, number[]][]) => Object.fromEntries(pairs);
      expect(sorted(state())).toEqual(sorted(before.state));
      expect(numbersOf(layer, 'weight')).toEqual(before.value);
      expect(flags().sort()).toEqual(before.flags.sort());
      const again = await mergeAdapters(model, options);
      again.dispose();
      again.unmerge();
      expect(model.namedParameters().some(([key]) => key.includes('default'))).toBe(false);
      model.dispose();
    },
  );

  it('makes the weight a plain variable again, which trains', async () => {
    const layer = new nn.Linear(4, 5);
    const { weight } = layer;
    lora(layer, { rank: 2 });
    (await mergeAdapters(layer)).dispose();
    expect(layer.weight).toBe(weight);
    expect((weight as tf.Variable).trainable).toBe(true);
    layer.dispose();
  });

  it('refuses numbers that are not finite, and inactive adapters; nothing changes then', async () => {
    const model = twoLayers();
    setAdapters(model, 'digits');
    const map = parametrizationsOn(layerOf(model, 1), 'weight')[0] as Lora;
    const B = map.lora_B.get('digits') as tf.Variable;
    tf.tidy(() => B.assign(tf.mul(B, Number.NaN)));
    const keys = Object.keys(model.stateDict());
    await expect(mergeAdapters(model)).rejects.toThrowErrorMatchingInlineSnapshot(
      `[ParametrizeError: mergeAdapters: 1 merged weight would have NaN or infinity: '1.weight'. Train the adapters anew with a smaller learning rate or alpha, or pass { check: false }.]`,
    );
    await expect(mergeAdapters(model, { adapters: ['letters'] })).rejects.toThrow(
      /no active adapter 'letters'/,
    );
    expect(Object.keys(model.stateDict())).toEqual(keys);
    const merged = await mergeAdapters(model, { check: false });
    merged.unmerge();
    model.dispose();
  });

  it('is taken back in the reverse order of several merges, also where a later one has removed the map', async () => {
    const model = twoLayers();
    setAdapters(model, { digits: 1, letters: 2 });
    const before = values(model);
    const first = await mergeAdapters(model, { adapters: ['digits'] });
    const second = await mergeAdapters(model, { adapters: ['letters'] });
    expect(isParametrized(layerOf(model))).toBe(false);
    expect(() => first.unmerge()).toThrow(expect.objectContaining({ code: 'CONFLICT' }));
    second.unmerge();
    first.unmerge();
    expect(values(model)).toEqual(before);
    model.dispose();
  });

  it('works in cached, and lets one of two calls at once merge', async () => {
    const model = twoLayers();
    const before = values(model);
    await cached(async () => {
      const [one, other] = await Promise.all([mergeAdapters(model), mergeAdapters(model)]);
      expect([one.paths.length, other.paths.length].sort()).toEqual([0, 2]);
      for (const [i, numbers] of values(model).entries()) {
        expect(numbers).toBeAllClose(before[i]!, { relative: 0, absolute: 1e-6 });
      }
      other.unmerge();
      one.unmerge();
      expect(values(model)).toEqual(before);
    });
    model.dispose();
  });

  it('refuses names that are no list, as unloadAdapters', async () => {
    const model = twoLayers();
    const keys = Object.keys(model.stateDict());
    for (const adapters of ['digits', [3], 5]) {
      await expect(mergeAdapters(model, { adapters } as never)).rejects.toMatchObject({ code: 'OPTION' });
      expect(() => unloadAdapters(model, { adapters } as never)).toThrow(
        expect.objectContaining({ code: 'OPTION' }),
      );
    }
    expect(Object.keys(model.stateDict())).toEqual(keys);
    model.dispose();
  });

  it('refuses to unmerge a chain that has changed, and disposes what it holds', async () => {
    const layer = new nn.Linear(4, 5);
    lora(layer, { rank: 2 });
    const merged = await mergeAdapters(layer);
    weightNorm(layer);
    expect(() => merged.unmerge()).toThrow(expect.objectContaining({ code: 'CONFLICT' }));
    merged.dispose();
    layer.dispose();
  });

  it('works on compiled models of tf.layers, which train on', async () => {
    const model = tf.sequential({ layers: [tf.layers.dense({ units: 3, inputShape: [4] })] });
    const [layer] = model.layers as [tf.layers.Layer];
    model.compile({ optimizer: tf.train.adam(0.1), loss: 'meanSquaredError' });
    parametrize(model, [{ type: 'Dense', apply: lora, options: { rank: 2 } }]);
    const [x, y] = [tf.ones([2, 4]), tf.ones([2, 3])];
    await model.fit(x, y, { epochs: 2, verbose: 0 });
    const value = numbersOf(layer, 'kernel');
    const merged = await mergeAdapters(model);
    expect(numbersOf(layer, 'kernel')).toBeAllClose(value, { relative: 0, absolute: 1e-6 });
    await model.fit(x, y, { epochs: 1, verbose: 0 });
    merged.unmerge();
    expect(numbersOf(layer, 'kernel')).toEqual(value);
    await model.fit(x, y, { epochs: 1, verbose: 0 });
    tf.dispose([x, y]);
    model.optimizer.dispose();
    model.dispose();
  });
});

describe('unloadAdapters', () => {
  it('removes one adapter or all, and keeps every bit of the base', () => {
    const model = twoLayers();
    const base = numbersOf(parametrizationsOn(layerOf(model), 'weight'), 'original');
    expect(unloadAdapters(model, { adapters: ['letters'] })).toEqual(['0.weight', '1.weight']);
    expect(model.namedParameters().some(([key]) => key.includes('letters'))).toBe(false);
    expect(() => unloadAdapters(model, { adapters: ['letters'] })).toThrow(/no adapter 'letters'/);
    unloadAdapters(model);
    expect(numbersOf(layerOf(model), 'weight')).toEqual(base);
    expect(Object.keys(model.stateDict())).toEqual(['0.weight', '0.bias', '1.weight', '1.bias']);
    expect(model.parameters().every(({ trainable }) => trainable)).toBe(true);
    model.dispose();
  });
});
