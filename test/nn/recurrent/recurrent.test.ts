import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { GRU, init, LSTM, type Module, manualSeed, RNN, type RNNOptions } from '../../../src/nn/index.ts';
import { registerParametrization } from '../../../src/parametrize/verbs/registerParametrization.ts';
import { example, expectGradients } from '../gradientCheck.ts';
import { countReads } from '../module/countReads.ts';

type Network = RNN | GRU | LSTM;
type Values = Record<string, number[][]>;

const σ = (x: number) => 1 / (1 + Math.exp(-x));
const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, x, i) => sum + x * b[i]!, 0);

/** One step, one number at a time: from gates of the input and of h, block by block, to the states after it. */
type Step = (input: number[][], state: number[][], states: number[][]) => number[][];

const steps: Record<string, Step> = {
  tanh: ([a], [b]) => [a!.map((x, j) => Math.tanh(x + b![j]!))],
  relu: ([a], [b]) => [a!.map((x, j) => Math.max(x + b![j]!, 0))],
  GRU: ([ar, az, an], [br, bz, bn], [h]) => [
    h!.map((old, j) => {
      const r = σ(ar![j]! + br![j]!);
      const z = σ(az![j]! + bz![j]!);
      return (1 - z) * Math.tanh(an![j]! + r * bn![j]!) + z * old;
    }),
  ],
  LSTM: (a, b, [, c]) => {
    const [i, f, g, o] = a.map((block, k) => block.map((x, j) => x + b[k]![j]!));
    const next = c!.map((old, j) => σ(f![j]!) * old + σ(i![j]!) * Math.tanh(g![j]!));
    return [next.map((x, j) => σ(o![j]!) * Math.tanh(x)), next];
  },
};

/** All layers and directions over one sequence: h of every step of the last layer, and the last states of each. */
function definition(
  network: Network,
  step: Step,
  xs: number[][],
): { output: number[][]; lasts: number[][][] } {
  const size = network.hiddenSize;
  const values: Values = Object.fromEntries(
    network.namedParameters().map(([name, variable]) => {
      const all = Array.from(variable.dataSync());
      const [height, width = 1] = variable.shape;
      return [name, Array.from({ length: height! }, (_, r) => all.slice(r * width, (r + 1) * width))];
    }),
  );
  const blocks = (weight: string, bias: string, x: number[]) => {
    const rows = values[weight]!.map((row, r) => dot(row, x) + (values[bias]?.[r]?.[0] ?? 0));
    return Array.from({ length: rows.length / size }, (_, k) => rows.slice(k * size, (k + 1) * size));
  };
  const lasts: number[][][] = [];
  const run = (layer: string, sequence: number[][]): number[][] => {
    let states = [new Array<number>(size).fill(0), new Array<number>(size).fill(0)];
    const outputs = sequence.map((x) => {
      const input = blocks(`weight_ih_${layer}`, `bias_ih_${layer}`, x);
      states = step(input, blocks(`weight_hh_${layer}`, `bias_hh_${layer}`, states[0]!), states);
      return states[0]!;
    });
    lasts.push(states);
    return outputs;
  };
  let output = xs;
  for (let k = 0; k < network.numLayers; k++) {
    const forward = run(`l${k}`, output);
    const backward = network.bidirectional ? run(`l${k}_reverse`, [...output].reverse()).reverse() : [];
    output = forward.map((h, t) => [...h, ...(backward[t] ?? [])]);
  }
  return { output, lasts };
}

/** The output and all last states of a network, flat. */
const tensorsOf = (result: ReturnType<Network['call']>): tf.Tensor[] => result.flat() as tf.Tensor[];

const networks: [string, (options: RNNOptions) => Network][] = [
  ['tanh', (options) => new RNN(2, 3, options)],
  ['relu', (options) => new RNN(2, 3, { ...options, nonlinearity: 'relu' })],
  ['GRU', (options) => new GRU(2, 3, options)],
  ['LSTM', (options) => new LSTM(2, 3, options)],
];

describe.each(networks)('%s', (name, make) => {
  it.each<[RNNOptions]>([
    [{}],
    [{ bias: false }],
    [{ numLayers: 2 }],
    [{ bidirectional: true }],
    [{ numLayers: 2, bidirectional: true, bias: false }],
    [{ numLayers: 3, bidirectional: true }],
  ])('computes what its definition says: %o', (options) => {
    manualSeed(2);
    const network = make(options);
    const x = example([4, 2]);
    const values = Array.from(x.dataSync());
    const xs = Array.from({ length: 4 }, (_, t) => values.slice(2 * t, 2 * t + 2));
    const { output, lasts } = definition(network, steps[name]!, xs);
    const [y, ...states] = tensorsOf(network.call(x));
    expect(y!.shape).toEqual([4, network.bidirectional ? 6 : 3]);
    expect(y!).toBeAllClose(output);
    expect(states.length).toBe(name === 'LSTM' ? 2 : 1);
    for (const [i, state] of states.entries()) {
      expect(state.shape).toEqual([lasts.length, 3]);
      expect(state).toBeAllClose(lasts.map((ofLayer) => ofLayer[i]!));
    }
    tf.dispose([x, y!, states]);
    network.dispose();
  });

  it('computes the same with the batch first, and for each sequence alone', () => {
    const options = { numLayers: 2, bidirectional: true };
    const [network, batchFirst] = [make(options), make({ ...options, batchFirst: true })];
    batchFirst.loadStateDict(network.stateDict());
    const [x, h, c] = [example([5, 2, 2]), example([4, 2, 3], 0.5), example([4, 2, 3])];
    const call = (model: Network, input: tf.Tensor, states: tf.Tensor[]) =>
      tensorsOf(
        model instanceof LSTM
          ? model.call(input, states as [tf.Tensor, tf.Tensor])
          : model.call(input, states[0]),
      );
    tf.tidy(() => {
      const [output, ...states] = call(network, x, [h, c]);
      const [swapped, ...same] = call(batchFirst, tf.transpose(x, [1, 0, 2]), [h, c]);
      expect(tf.transpose(swapped!, [1, 0, 2])).toBeAllClose(output!);
      for (const [i, state] of states.entries()) expect(same[i]!).toBeAllClose(state);

      const one = (tensor: tf.Tensor) => tf.squeeze(tf.slice(tensor, [0, 1], [-1, 1]), [1]);
      const [alone, ...last] = call(network, one(x), [one(h), one(c)]);
      expect(alone!).toBeAllClose(one(output!));
      for (const [i, state] of states.entries()) expect(last[i]!).toBeAllClose(one(state));
    });
    tf.dispose([x, h, c]);
    network.dispose();
    batchFirst.dispose();
  });

  it('can be differentiated twice by input and weights', () => {
    manualSeed(3);
    const network = make({ bidirectional: true });
    const x = example([2, 1, 2]);
    expectGradients(
      () => tf.concat(tensorsOf(network.call(x)).map((tensor) => tf.reshape(tensor, [-1]))),
      [x, ...network.parameters()],
    );
    x.dispose();
    network.dispose();
  });

  it('drops outputs between layers, in training only', () => {
    const plain = make({ numLayers: 2 });
    // Positive, or a dead relu would hide the masks.
    for (const variable of plain.parameters())
      init.uniform(variable, { a: 0.1, b: 0.9, seed: variable.size });
    const [dropping, closed] = [make({ numLayers: 2, dropout: 0.5 }), make({ numLayers: 2, dropout: 1 })];
    for (const network of [dropping, closed]) network.loadStateDict(plain.stateDict());
    const x = tf.randomUniform([4, 8, 2], 0, 1, 'float32', 1);
    tf.tidy(() => {
      const output = (network: Network) => tensorsOf(network.call(x))[0]!;
      const wanted = output(plain);
      expect(output(dropping)).not.toBeAllClose(wanted);
      expect(output(dropping.eval())).toBeAllClose(wanted);
      // With nothing from below, every sequence of the batch comes out alike.
      const [first, second] = tf.unstack(output(closed), 1);
      expect(first!).toBeAllClose(second!);
      manualSeed(5);
      const drawn = output(dropping.train());
      manualSeed(5);
      expect(output(dropping)).toBeAllClose(drawn);
    });
    x.dispose();
    for (const network of [plain, dropping, closed]) network.dispose();
  });

  it('reads each weight once in a forward pass, not once a step', () => {
    const network = make({ numLayers: 2, bidirectional: true });
    const parameters = network.parameters();
    const names = network.namedParameters().map(([key]) => key);
    const reads = countReads(network, names);
    const x = tf.ones([7, 1, 2]);
    tf.dispose([x, ...tensorsOf(network.call(x))]);
    expect(reads).toEqual(Object.fromEntries(names.map((key) => [key, 1])));
    tf.dispose(parameters);
  });

  it('evaluates each parametrized weight once in a forward pass, outside of every cache', () => {
    const network = make({ numLayers: 2, bidirectional: true });
    const names = network.namedParameters().map(([key]) => key);
    const x = example([4, 1, 2]);
    const wanted = tensorsOf(network.call(x));
    const counts: Record<string, number> = {};
    for (const key of names) {
      registerParametrization(network as Module, key, (weight) => {
        counts[key]! += 1;
        return tf.mul(weight, 1);
      });
      counts[key] = 0;
    }
    const outputs = tensorsOf(network.call(x));
    expect(counts).toEqual(Object.fromEntries(names.map((key) => [key, 1])));
    for (const [i, output] of outputs.entries()) expect(output).toBeAllClose(wanted[i]!);
    tf.dispose([x, wanted, outputs]);
    network.dispose();
  });

  it('runs over a single step as the definition says, with a batch and without', () => {
    manualSeed(6);
    const network = make({ numLayers: 2, bidirectional: true });
    const x = example([1, 2]);
    const { output, lasts } = definition(network, steps[name]!, [Array.from(x.dataSync())]);
    const alone = tensorsOf(network.call(x));
    const batched = tf.tidy(() => tensorsOf(network.call(tf.reshape(x, [1, 1, 2]))));
    for (const [y, ...states] of [alone, batched]) {
      expect(Array.from(y!.dataSync())).toBeAllClose(output.flat());
      for (const [i, state] of states.entries()) {
        expect(Array.from(state.dataSync())).toBeAllClose(lasts.flatMap((ofLayer) => ofLayer[i]!));
      }
    }
    expect(batched.map(({ shape }) => shape)).toEqual(alone.map(({ shape: [n, size] }) => [n, 1, size]));
    tf.dispose([x, alone, batched]);
    network.dispose();
  });

  it('takes a batch of nothing, as torch, and gives its weights gradients of zero', () => {
    const network = make({ numLayers: 2, bidirectional: true });
    const x = tf.zeros([4, 0, 2]);
    const [y, ...states] = tensorsOf(network.call(x));
    expect(y!.shape).toEqual([4, 0, 6]);
    for (const state of states) expect(state.shape).toEqual([4, 0, 3]);
    const { value, grads } = tf.variableGrads(
      () => tf.sum(tensorsOf(network.call(x))[0]!),
      network.parameters(),
    );
    for (const variable of network.parameters()) {
      expect(grads[variable.name]!).toBeAllClose(new Array(variable.size).fill(0));
    }
    tf.dispose([x, y!, states, value, grads]);
    network.dispose();
  });

  it('drops nothing behind the last layer, the only one here', () => {
    const [plain, dropping] = [make({}), make({ dropout: 1 })];
    dropping.loadStateDict(plain.stateDict());
    const x = example([3, 2, 2]);
    const [wanted, found] = [tensorsOf(plain.call(x)), tensorsOf(dropping.call(x))];
    for (const [i, output] of found.entries()) expect(output).toBeAllClose(wanted[i]!);
    tf.dispose([x, wanted, found]);
    plain.dispose();
    dropping.dispose();
  });

  it('refuses states that are none', () => {
    const network = make({}) as RNN;
    const [x, h] = [tf.ones([4, 5, 2]), tf.ones([1, 5, 3])];
    const isPair = name === 'LSTM';
    const refused = (state: unknown, fact: string) =>
      expect(() => network.call(x, state as tf.Tensor)).toThrow(
        expect.objectContaining({ code: 'SHAPE', message: expect.stringContaining(fact) }),
      );
    refused(null, isPair ? 'the state is null, there are 2: h, c' : 'the state is null');
    refused(isPair ? h : [h], isPair ? 'the state is Tensor, there are 2' : 'the state h is Array');
    if (isPair) {
      refused([h], 'the state is an array of 1, there are 2: h, c. Pass [h, c].');
      refused([h, undefined], 'the state c is undefined, the input needs [1, 5, 3]');
    }
    tf.dispose([x, h]);
    network.dispose();
  });

  it("has torch's keys in torch's order and torch's shapes", () => {
    const network = make({ numLayers: 2, bidirectional: true });
    const rows = { tanh: 3, relu: 3, GRU: 9, LSTM: 12 }[name];
    const layers = ['l0', 'l0_reverse', 'l1', 'l1_reverse'];
    expect(Object.entries(network.stateDict()).map(([key, { shape }]) => `${key} ${shape}`)).toEqual(
      layers.flatMap((layer, i) => [
        `weight_ih_${layer} ${rows},${i < 2 ? 2 : 6}`,
        `weight_hh_${layer} ${rows},3`,
        `bias_ih_${layer} ${rows}`,
        `bias_hh_${layer} ${rows}`,
      ]),
    );
    network.dispose();
  });

  it('refuses what does not fit', () => {
    const network = make({ bidirectional: true });
    const [x, h] = [tf.ones([4, 5, 2]), tf.ones([1, 5, 3])];
    const call = () => (network instanceof LSTM ? network.call(x, [h, h]) : network.call(x, h));
    expect(call).toThrow(
      expect.objectContaining({
        code: 'SHAPE',
        message: expect.stringContaining('the state h has shape [1, 5, 3], the input needs [2, 5, 3]'),
      }),
    );
    expect(() => make({ dropout: 1.5 })).toThrow('dropout is 1.5, it must be a probability');
    expect(() => make({ bidirectional: 1 as never })).toThrow(expect.objectContaining({ code: 'OPTION' }));
    expect(() => make({ projSize: 2 } as never)).toThrow("'projSize' is not an option");
    tf.dispose([x, h]);
    network.dispose();
  });
});

describe('Recurrent networks', () => {
  it('print their options as torch does', () => {
    const texts = [
      new RNN(2, 3, { nonlinearity: 'relu', numLayers: 2 }),
      new GRU(2, 3, { bias: false, batchFirst: true }),
      new LSTM(2, 3, { numLayers: 2, dropout: 0.5, bidirectional: true }),
    ].map((network) => {
      network.dispose();
      return network.toString();
    });
    expect(texts).toEqual([
      'RNN(2, 3, numLayers=2)',
      'GRU(2, 3, bias=false, batchFirst=true)',
      'LSTM(2, 3, numLayers=2, dropout=0.5, bidirectional=true)',
    ]);
  });

  it('go on from the state that they returned', () => {
    const gru = new GRU(2, 3, { numLayers: 2 });
    const x = example([5, 4, 2]);
    tf.tidy(() => {
      const [whole, h] = gru.call(x);
      const [first, middle] = gru.call(tf.slice(x, 0, 2));
      const [second, last] = gru.call(tf.slice(x, 2, 3), middle);
      expect(tf.concat([first, second])).toBeAllClose(whole);
      expect(last).toBeAllClose(h);
    });
    x.dispose();
    gru.dispose();
  });

  it('refuse an unknown nonlinearity, with nothing left over', () => {
    const make = (options: object) => () => new RNN(2, 3, options as RNNOptions);
    expect(make({ nonlinearity: 'ReLU' })).toThrow("one of 'tanh', 'relu'. Did you mean 'relu'?");
    expect(make({ nonlinearty: 'relu' })).toThrow("Did you mean 'nonlinearity'?");
  });
});
