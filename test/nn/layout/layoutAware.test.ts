import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  AvgPool1d,
  AvgPool2d,
  BatchNorm1d,
  BatchNorm2d,
  Conv1d,
  Conv2d,
  ConvTranspose1d,
  ConvTranspose2d,
  Dropout,
  Dropout1d,
  Dropout2d,
  ELU,
  Flatten,
  GELU,
  GroupNorm,
  Identity,
  LeakyReLU,
  MaxPool1d,
  MaxPool2d,
  type Module,
  PReLU,
  ReLU,
  Sequential,
  Sigmoid,
  Softmax,
  Softplus,
  Tanh,
} from '../../../src/nn/index.ts';
import { isDisposed } from '../../../src/nn/module/disposal.ts';
import { example } from '../gradientCheck.ts';

/** No size of any other axis in this file, so that it tells the layout changes from other transposes. */
const batch = 7;

/** How often a batch was brought into another layout. */
async function layoutChanges(f: () => unknown): Promise<number> {
  const { kernels } = await tf.profile(() => tf.tidy(() => void f()));
  return kernels.filter(({ name, inputShapes }) => name === 'Transpose' && inputShapes[0]?.[0] === batch)
    .length;
}

/** The modules one by one, and those in a Sequential in their turn. */
function oneByOne(modules: Iterable<Module>, x: tf.Tensor): tf.Tensor {
  let y = x;
  for (const module of modules) {
    y = module instanceof Sequential ? oneByOne(module, y) : (module.call(y) as tf.Tensor);
  }
  return y;
}

/** Runs the test with a net and disposes it. */
async function using<M extends Module>(net: M, test: (net: M) => unknown): Promise<void> {
  await test(net);
  net.dispose();
}

const chain = (...between: Module[]) =>
  new Sequential(
    new Conv2d(3, 4, 3, { padding: 1 }),
    ...between,
    new Conv2d(4, 2, 2, { stride: 2 }),
    new Tanh(),
  );
const input = () => tf.randomUniform([batch, 3, 6, 5], -1, 1);

class Doubled extends ReLU {
  seen: number[][] = [];
  override forward(x: tf.Tensor): tf.Tensor {
    this.seen.push(x.shape);
    return tf.mul(super.forward(x), 2);
  }
}

describe('A Sequential of layers that compute with the channels last', () => {
  it('computes what the layers compute one by one: outputs, gradients, statistics, masks and errors', () => {
    fc.assert(
      fc.property(nets, ({ rank, makers, training }) => {
        const net = new Sequential(...modulesOf(makers, rank)).train(training);
        const copy = net.clone();
        const x = tf.tidy(() => tf.variable(tf.randomUniform([2, 4, ...[9, 8].slice(0, rank)], -1, 1)));
        const models = [() => net.call(x), () => oneByOne(copy, x)] as const;
        tf.tidy(() => {
          const [y, wanted] = models.map(caught);
          if (!(wanted instanceof tf.Tensor)) {
            expect(y).toEqual(wanted);
            return;
          }
          expect(y).toBeAllClose(wanted, { absolute: 1e-5 });
          const variables = [
            [x, ...net.parameters()],
            [x, ...copy.parameters()],
          ];
          const [gradients, others] = models.map((model, i) => gradientsOf(model, variables[i]!));
          gradients!.forEach((gradient, k) => {
            expect(gradient).toBeAllClose(others![k]!, { relative: 1e-4, absolute: 1e-4 });
          });
          for (const [key, value] of Object.entries(copy.stateDict())) {
            expect(net.stateDict()[key], key).toBeAllClose(value, { relative: 1e-4, absolute: 1e-5 });
          }
        });
        for (const made of [x, net, copy]) made.dispose();
      }),
    );
  });

  it.each<[string, () => Module[]]>([
    ['nothing', () => []],
    ['activations', () => [new ReLU(), new Softplus(), new PReLU(4), new Identity()]],
    ['pooling', () => [new MaxPool2d(2, { padding: 1 }), new AvgPool2d(2, { stride: 1, padding: 1 })]],
    ['a nested Sequential', () => [new Sequential(new Tanh(), new Conv2d(4, 4, 1)), new Sequential()]],
    ['a transposed convolution', () => [new ConvTranspose2d(4, 4, 2, { stride: 2 })]],
    ['batch normalization in evaluation', () => [new BatchNorm2d(4).eval(), new ReLU()]],
    ['dropout in evaluation', () => [new Dropout(0.5).eval(), new Dropout2d(0.5).eval()]],
    ['dropout of channels', () => [new Dropout2d(0.5)]],
  ])('transposes twice, at its beginning and its end, with %s between convolutions', async (_, between) => {
    await using(chain(...between()), async (net) => {
      const x = input();
      expect(await layoutChanges(() => net.call(x))).toBe(2);
      expect(await layoutChanges(() => oneByOne(net, x))).toBeGreaterThanOrEqual(4);
      x.dispose();
    });
  });

  it('transposes twice more for the gradient of its input', async () => {
    await using(chain(new ReLU()), async (net) => {
      const x = input();
      const gradient = (f: (t: tf.Tensor) => tf.Tensor) => () => tf.grad((t) => tf.sum(f(t)))(x);
      const [ofNet, ofLayers] = [gradient((t) => net.call(t)), gradient((t) => oneByOne(net, t))];
      // The gradient of a filter transposes a batch as well, and does so in both.
      const saved = (await layoutChanges(ofLayers)) - (await layoutChanges(ofNet));
      expect(saved).toBe(4);
      x.dispose();
    });
  });

  it('transposes as often as its layers where nothing can be saved', async () => {
    for (const between of [[], [new Flatten()], [new BatchNorm2d(3), new ReLU()]]) {
      await using(new Sequential(new Conv2d(3, 3, 3), ...between), async (net) => {
        const x = input();
        expect(await layoutChanges(() => net.call(x))).toBe(2);
        x.dispose();
      });
    }
  });

  it('shows hooks, and a forward or call that is not the library’s, torch’s layout', async () => {
    const seen: number[][] = [];
    const see = (...tensors: unknown[]) => {
      for (const tensor of tensors) seen.push((tensor as tf.Tensor).shape);
    };
    const hooked = new ReLU();
    hooked.registerForwardHook((_module, args, output) => see(args[0], output));
    const prehooked = new Sequential(new ReLU());
    prehooked.registerForwardPreHook((_module, args) => see(args[0]));
    const doubled = new Doubled();
    const own = new ReLU();
    own.forward = (x) => {
      see(x);
      return ReLU.prototype.forward.call(own, x);
    };
    const called = new ReLU();
    called.call = (x) => {
      see(x);
      return ReLU.prototype.call.call(called, x);
    };
    for (const [module, times] of [
      [hooked, 2],
      [prehooked, 1],
      [doubled, 0],
      [own, 1],
      [called, 1],
    ] as const) {
      // biome-ignore format: one line
      seen.length = 0;
      await using(chain(module), async (net) => {
        const x = input();
        expect(await layoutChanges(() => net.call(x))).toBe(4);
        expect(seen).toEqual(Array(times).fill([batch, 4, 6, 5]));
        const [y, wanted] = [net.call(x), tf.tidy(() => oneByOne(net, x))];
        expect(y).toBeAllClose(wanted);
        tf.dispose([x, y, wanted]);
      });
    }
    expect(doubled.seen).toEqual(Array(3).fill([batch, 4, 6, 5]));
  });

  it('skips the layout again when the hook is removed', async () => {
    const relu = new ReLU();
    const handle = relu.registerForwardHook(() => undefined);
    await using(chain(relu), async (net) => {
      const x = input();
      expect(await layoutChanges(() => net.call(x))).toBe(4);
      handle.remove();
      expect(await layoutChanges(() => net.call(x))).toBe(2);
      x.dispose();
    });
  });

  it('is itself overridden by a subclass with a forward', async () => {
    class Residual extends Sequential {
      override forward(x: tf.Tensor): tf.Tensor {
        return tf.add(x, super.forward(x));
      }
    }
    const inner = new Residual(new Conv2d(4, 4, 1), new Tanh());
    await using(chain(inner), (net) => {
      const x = input();
      const y = net.call(x);
      const wanted = tf.tidy(() => {
        const h = net[0]!.call(x) as tf.Tensor;
        return oneByOne([...net].slice(2), tf.add(h, oneByOne(inner, h)));
      });
      expect(y).toBeAllClose(wanted);
      tf.dispose([x, y, wanted]);
    });
  });

  it('takes an input without a batch, an empty one, and one that the next layer reads as without a batch', async () => {
    await using(chain(new ReLU(), new MaxPool2d(2)), (net) => {
      for (const shape of [
        [3, 6, 5],
        [0, 3, 6, 5],
      ]) {
        // biome-ignore format: one line
        const x = tf.ones(shape);
        const [y, wanted] = [net.call(x), tf.tidy(() => oneByOne(net, x))];
        expect(y.shape).toEqual([...shape.slice(0, -3), 2, 1, 1]);
        expect(y).toBeAllClose(wanted);
        tf.dispose([x, y, wanted]);
      }
    });
    for (const next of [
      new Conv2d(5, 2, 2),
      new ConvTranspose2d(5, 2, 2),
      new MaxPool2d(2),
      new AvgPool2d(2),
    ]) {
      await using(new Sequential(new Conv1d(3, 4, 3), new ReLU(), next), (net) => {
        const x = tf.randomUniform([5, 3, 6], -1, 1);
        const [y, wanted] = [net.call(x), tf.tidy(() => oneByOne(net, x))];
        expect(y).toBeAllClose(wanted);
        tf.dispose([x, y, wanted]);
      });
    }
  });

  it.each<[string, () => Module]>([
    ['channels', () => new Conv2d(3, 2, 1)],
    ['rank', () => new Conv1d(4, 2, 1)],
    ['size', () => new Conv2d(4, 2, 9)],
    ['size for its padding', () => new Conv2d(4, 2, 3, { padding: [1, 7], paddingMode: 'reflect' })],
    ['channels of a transposed convolution', () => new ConvTranspose2d(3, 2, 1)],
    ['size of a transposed convolution', () => new ConvTranspose2d(4, 2, 3, { padding: 5 })],
    ['window', () => new MaxPool2d(9)],
    ['window of a mean', () => new AvgPool2d(9)],
    ['rank of a window', () => new MaxPool1d(2)],
    ['number of slopes', () => new PReLU(3)],
    ['number of features', () => new BatchNorm2d(3).eval()],
    ['rank of a mask', () => new Dropout1d(0.5)],
    ['state, disposed', () => disposed(new Conv2d(4, 2, 1))],
  ])('names torch’s layout in errors, and frees what it made: wrong %s', async (_, make) => {
    const wrong = make();
    await using(new Sequential(new Conv2d(3, 4, 3, { padding: 1 }), new ReLU(), wrong), (net) => {
      const x = input();
      const y = tf.tidy(() => net[1]!.call(net[0]!.call(x)) as tf.Tensor);
      const error = caught(() => wrong.call(y));
      const fact = isDisposed(wrong) ? 'disposed' : 'the input has shape [7, 4, 6, 5]';
      expect(error).toMatchObject({ message: expect.stringContaining(fact) });
      const before = tf.memory().numTensors;
      expect(caught(() => net.call(x))).toEqual(error);
      expect(tf.memory().numTensors).toBe(before);
      tf.dispose([x, y]);
    });
  });

  it.each<[string, () => Module[]]>([
    ['means', () => [new AvgPool2d(2, { stride: 1, countIncludePad: false, padding: 1 })]],
    ['maxima', () => [new MaxPool2d([2, 1], { stride: [1, 2], dilation: [2, 1], padding: [1, 0] })]],
    ['slopes and running statistics', () => [new BatchNorm2d(2).eval(), new PReLU(2), new GELU()]],
    ['a transposed convolution', () => [new ConvTranspose2d(2, 2, 2, { stride: 2 })]],
  ])('has the gradients of second order that the layers have one by one, through %s', async (_, between) => {
    const first = new Conv2d(1, 2, 2, { padding: 1 });
    await using(new Sequential(first, ...between(), new Conv2d(2, 1, 2), new Tanh()), (net) => {
      const x = example([2, 1, 3, 4]);
      const variables = [x, ...net.parameters()];
      const penaltyOf = (model: () => tf.Tensor) => () =>
        tf.addN(gradientsOf(model, variables).map((gradient) => tf.sum(tf.square(gradient))));
      tf.tidy(() => {
        const gradients = gradientsOf(
          penaltyOf(() => net.call(x)),
          variables,
        );
        const wanted = gradientsOf(
          penaltyOf(() => oneByOne(net, x)),
          variables,
        );
        gradients.forEach((gradient, i) => {
          expect(gradient).toBeAllClose(wanted[i]!, { relative: 1e-4, absolute: 1e-5 });
        });
        expect(tf.max(tf.abs(wanted[1]!)).dataSync()[0]).toBeGreaterThan(1e-3);
      });
      x.dispose();
    });
  });
});

function disposed<M extends Module>(module: M): M {
  module.dispose();
  return module;
}

/** What the function returns or throws. */
function caught(f: () => unknown): unknown {
  try {
    return f();
  } catch (error) {
    return error;
  }
}

/** The gradients of a sum with different weights; zeros for what has none. */
function gradientsOf(f: () => tf.Tensor, variables: tf.Variable[]): tf.Tensor[] {
  const loss = () => {
    const y = tf.reshape(f(), [-1]);
    return tf.sum(tf.mul(y, tf.cos(tf.range(0, y.size))));
  };
  const { grads } = tf.engine().gradients(loss, variables, undefined, true);
  return variables.map((variable, i) => (grads[i] as tf.Tensor | undefined) ?? tf.zerosLike(variable));
}

type Rank = 1 | 2;

/** Makes a module for four channels and returns four. */
type Make = (rank: Rank) => Module;

const only = (...makes: Make[]) => fc.constantFrom(...makes);
const one = <A extends unknown[]>(first: new (...args: A) => Module, second: new (...args: A) => Module) =>
  (...args: A): Make =>
  (rank) => new (rank === 1 ? first : second)(...args); // biome-ignore format: a signature a line

const conv = one<[number, number, number, object]>(Conv1d as never, Conv2d as never);
const transposed = one<[number, number, number, object]>(ConvTranspose1d as never, ConvTranspose2d as never);
const maxPool = one<[number, object]>(MaxPool1d as never, MaxPool2d as never);
const avgPool = one<[number, object]>(AvgPool1d as never, AvgPool2d as never);

const convolutions = fc
  .record({
    kernel: fc.integer({ min: 1, max: 3 }),
    stride: fc.integer({ min: 1, max: 2 }),
    groups: fc.constantFrom(1, 2),
    bias: fc.boolean(),
    paddingMode: fc.constantFrom('zeros', 'replicate', 'circular', 'reflect'),
    dilation: fc.integer({ min: 1, max: 2 }),
  })
  .map(({ kernel, ...options }) => conv(4, 4, kernel, { ...options, padding: 1 }));
const others = only(
  transposed(4, 4, 3, { stride: 2, padding: 1 }),
  transposed(4, 4, 2, {}),
  maxPool(2, { stride: 1 }),
  maxPool(3, { padding: 1, dilation: 2, stride: 1 }),
  avgPool(2, { stride: 1, padding: 1, countIncludePad: false }),
  avgPool(3, { padding: 1, ceilMode: true }),
  one(BatchNorm1d, BatchNorm2d)(4, {}),
  one(BatchNorm1d, BatchNorm2d)(4, { trackRunningStats: false, affine: false }),
  one(Dropout1d, Dropout2d)(0.5, { seed: 3 }),
  () => new Dropout(0.3, { seed: 5 }),
  () => new ReLU(),
  () => new LeakyReLU(0.2),
  () => new Sigmoid(),
  () => new ELU(),
  () => new GELU(),
  () => new PReLU(4),
  () => new PReLU(),
  () => new Identity(),
  () => new Softmax(1),
  () => new GroupNorm(2, 4),
  () => new Doubled(),
);
const makers = fc.array(fc.oneof({ weight: 2, arbitrary: convolutions }, { weight: 3, arbitrary: others }), {
  minLength: 1,
  maxLength: 6,
});
const nets = fc.record({
  rank: fc.constantFrom<Rank>(1, 2),
  training: fc.boolean(),
  makers: fc.oneof(
    makers,
    // The first half in a Sequential of its own.
    makers.map((list): Make[] => {
      const half = list.length >> 1;
      return [(rank) => new Sequential(...modulesOf(list.slice(0, half), rank)), ...list.slice(half)];
    }),
  ),
});

const modulesOf = (list: readonly Make[], rank: Rank): Module[] => list.map((make) => make(rank));
