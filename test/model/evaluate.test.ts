import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import {
  cached,
  evaluate,
  nn,
  parametrizationsOn,
  registerParametrization,
  removeParametrizations,
  spectralNorm,
  tie,
  valueOf,
  weightNorm,
} from '../../src/index.ts';
import '../../src/layers/index.ts';
import { failure } from '../parametrize/unchanged.ts';

const net = (): nn.Sequential => new nn.Sequential(new nn.Linear(2, 3), new nn.Tanh(), new nn.Linear(3, 1));

const linearAt = (model: nn.Sequential, index: number): nn.Linear => model.at(index) as nn.Linear;

describe('evaluate', () => {
  it('computes with the given tensors, and changes nothing', () => {
    const model = net();
    const keys = Object.keys(model.stateDict());
    const before = linearAt(model, 0).weight;
    tf.tidy(() => {
      const x = tf.ones([1, 2]);
      const plain = model.call(x);
      const weight = tf.ones([3, 2]);
      const bias = tf.zeros([3]);
      const result = evaluate(model, { '0.weight': weight, '0.bias': bias }, () => {
        expect(linearAt(model, 0).weight).toBe(weight);
        return model.call(x);
      });
      const second = linearAt(model, 2);
      expect(result).toBeAllClose(
        tf.add(tf.matMul(tf.tanh(tf.fill([1, 3], 2)), second.weight, false, true), second.bias!),
      );
      expect(model.call(x)).toBeAllClose(plain, { absolute: 0 });
    });
    expect(linearAt(model, 0).weight).toBe(before);
    expect(Object.keys(model.stateDict())).toEqual(keys);
    model.dispose();
  });

  it('gives the value of a parametrized tensor by its plain key, and evaluates maps on originals', () => {
    const model = net();
    weightNorm(linearAt(model, 0));
    const { g } = parametrizationsOn(linearAt(model, 0), 'weight') as unknown as { g: tf.Variable };
    tf.tidy(() => {
      const value = tf.ones([3, 2]);
      evaluate(model, { '0.weight': value }, () => {
        expect(linearAt(model, 0).weight).toBe(value);
        expect(valueOf(linearAt(model, 0), 'weight')).toBe(value);
      });
      const old = linearAt(model, 0).weight;
      const doubled = tf.mul(g, 2);
      evaluate(model, { '0.parametrizations.weight.original0': doubled }, () => {
        expect(linearAt(model, 0).weight).toBeAllClose(tf.mul(old, 2));
      });
      expect(linearAt(model, 0).weight).toBeAllClose(old);
    });
    model.dispose();
  });

  it('neither serves nor keeps an entry of other originals, in and out of cached', () => {
    const layer = weightNorm(new nn.Linear(2, 3));
    const { g } = parametrizationsOn(layer, 'weight') as unknown as { g: tf.Variable };
    const other = tf.tidy(() => tf.mul(g, 3));
    const run = (): void => {
      const borrowed = layer.weight;
      const expected = tf.tidy(() => tf.mul(borrowed, 3));
      evaluate(layer, { 'parametrizations.weight.original0': other }, () => {
        const inside = layer.weight;
        expect(layer.weight).toBe(inside);
        expect(inside).toBeAllClose(expected);
      });
      // What was borrowed before is valid, because no dependency changed.
      expect(layer.weight).toBe(borrowed);
      expected.dispose();
    };
    run();
    cached(run);
    other.dispose();
    layer.dispose();
  });

  it('has gradients that agree with finite differences, of originals and plain tensors', () => {
    // A short row of v would bend the loss within the step of the differences.
    nn.manualSeed(3);
    const model = net();
    weightNorm(linearAt(model, 0));
    const keys = ['0.parametrizations.weight.original0', '0.parametrizations.weight.original1', '2.weight'];
    const start = keys.map((key) => tf.tidy(() => tf.clone(model.stateDict()[key]!)));
    const x = tf.tensor2d([[0.3, -0.8]]);
    const loss = (...tensors: tf.Tensor[]): tf.Scalar =>
      tf.tidy(
        () =>
          evaluate(model, Object.fromEntries(keys.map((key, i) => [key, tensors[i]!])), () =>
            tf.sum(tf.square(model.call(x))),
          ) as tf.Scalar,
      );
    tf.tidy(() => {
      const gradients = tf.grads(loss)(start);
      const directions = start.map(({ shape }, i) => tf.randomNormal(shape, 0, 1, 'float32', 5 + i));
      const step = 1e-2;
      const at = (sign: number): tf.Scalar =>
        loss(...start.map((one, i) => tf.add(one, tf.mul(directions[i]!, sign * step))));
      const numeric = tf.div(tf.sub(at(1), at(-1)), 2 * step);
      const analytic = tf.addN(gradients.map((gradient, i) => tf.sum(tf.mul(gradient, directions[i]!))));
      expect(analytic).toBeAllClose(numeric, { absolute: 2e-3 });
    });
    tf.dispose([start, x]);
    model.dispose();
  });

  it('differentiates through an inner step, as MAML does', () => {
    const layer = new nn.Linear(1, 1, { bias: false });
    const weight = layer.weight as tf.Variable;
    tf.tidy(() => {
      weight.assign(tf.tensor2d([[2]]));
      const [x, y] = [tf.tensor2d([[3]]), tf.tensor2d([[1]])];
      const lossWith = (w: tf.Tensor): tf.Scalar =>
        evaluate(layer, { weight: w }, () => tf.sum(tf.square(tf.sub(layer.call(x), y)))) as tf.Scalar;
      const rate = 0.01;
      const outer = (): tf.Scalar => {
        const gradient = tf.grad(lossWith)(weight);
        return lossWith(tf.sub(weight, tf.mul(gradient, rate)));
      };
      const { grads } = tf.variableGrads(outer, [weight]);
      // L(w) = (3w - 1)², w' = w - 0.01 L'(w): dL(w')/dw = L'(w') (1 - 0.01 L''(w)).
      const slope = (w: number): number => 6 * (3 * w - 1);
      const expected = slope(2 - rate * slope(2)) * (1 - rate * 18);
      expect(grads[weight.name]).toBeAllClose([[expected]], { absolute: 1e-3 });
    });
    layer.dispose();
  });

  it('may be nested; inner tensors hide outer ones, also if the inner function throws', () => {
    const layer = new nn.Linear(2, 2);
    const names = Object.getOwnPropertyNames(layer);
    const [a, b] = [tf.zeros([2, 2]), tf.ones([2, 2])];
    evaluate(layer, { weight: a }, () => {
      evaluate(layer, { weight: b }, () => {
        expect(layer.weight).toBe(b);
      });
      expect([layer.weight, valueOf(layer, 'weight')]).toEqual([a, a]);
      expect(() =>
        evaluate(layer, { weight: b }, () => {
          throw new Error('inner');
        }),
      ).toThrow('inner');
      expect(layer.weight).toBe(a);
    });
    expect(Object.getOwnPropertyNames(layer)).toEqual(names);
    tf.dispose([a, b]);
    layer.dispose();
  });

  it('reaches tied tensors through their source, and every field of a variable', () => {
    const [embedding, decoder] = [new nn.Embedding(4, 2), new nn.Linear(2, 4)];
    const model = new nn.ModuleDict({ embedding, decoder });
    tie(decoder, 'weight', embedding);
    const table = tf.ones([4, 2]);
    evaluate(model, { 'embedding.weight': table }, () => {
      expect(decoder.weight).toBe(table);
    });
    expect(decoder.weight).toBe(embedding.weight);
    removeParametrizations(decoder, 'weight');
    (decoder.weight as tf.Variable).dispose();
    decoder.weight = embedding.weight;
    evaluate(model, { 'decoder.weight': table }, () => {
      expect(embedding.weight).toBe(table);
    });
    table.dispose();
    model.dispose();
  });

  it('gives buffers in evaluation, and refuses that a forward pass writes to them', () => {
    const norm = new nn.BatchNorm1d(2);
    const [mean, x] = [tf.tensor1d([1, 2]), tf.tensor2d([[1, 2]])];
    norm.eval();
    tf.tidy(() => {
      expect(evaluate(norm, { running_mean: mean }, () => norm.call(x))).toBeAllClose([[0, 0]]);
    });
    norm.train();
    const batch = tf.ones([3, 2]);
    expect(
      failure(() => evaluate(norm, { running_mean: mean }, () => norm.call(batch))),
    ).toMatchInlineSnapshot(
      `"CONFLICT: assigning 'running_mean': evaluate shows another tensor in its place. Call eval() before, or leave the buffer out."`,
    );
    const layer = spectralNorm(new nn.Linear(2, 2));
    const u = tf.tensor1d([1, 0]);
    expect(
      failure(() =>
        tf.tidy(() => evaluate(layer, { 'parametrizations.weight.0._u': u }, () => layer.weight)),
      ),
    ).toMatch(/^CONFLICT/);
    tf.dispose([mean, x, batch, u]);
    norm.dispose();
    layer.dispose();
  });

  it('works on layers of tf.layers, plain and parametrized', () => {
    const model = tf.sequential({
      layers: [
        tf.layers.dense({ units: 2, inputShape: [2], name: 'a' }),
        tf.layers.dense({ units: 1, name: 'b' }),
      ],
    });
    const a = model.getLayer('a');
    const plain = valueOf(model.getLayer('b'), 'kernel');
    weightNorm(a as never, 'kernel');
    tf.tidy(() => {
      const x = tf.tensor2d([[1, 2]]);
      const old = model.apply(x, { training: false }) as tf.Tensor;
      const [kernel, zeros, g] = [tf.ones([2, 1]), tf.zeros([2, 2]), tf.zeros([1, 2])];
      const withKernel = (k: tf.Tensor): tf.Scalar =>
        evaluate(model, { 'b.kernel': k }, () => tf.sum(model.apply(x) as tf.Tensor)) as tf.Scalar;
      expect(tf.grad(withKernel)(kernel)).toBeAllClose(tf.transpose(a.apply(x) as tf.Tensor));
      expect(evaluate(model, { 'a.kernel': zeros }, () => model.predict(x) as tf.Tensor)).toBeAllClose([[0]]);
      const key = 'a.parametrizations.kernel.original0';
      expect(evaluate(model, { [key]: g }, () => model.predict(x) as tf.Tensor)).toBeAllClose([[0]]);
      evaluate(model, { 'b.kernel': kernel }, () =>
        evaluate(model, { 'b.kernel': tf.mul(kernel, 2) }, () => {
          expect(valueOf(model.getLayer('b'), 'kernel')).toBeAllClose([[2], [2]]);
        }),
      );
      expect(model.apply(x, { training: false }) as tf.Tensor).toBeAllClose(old);
    });
    expect(valueOf(model.getLayer('b'), 'kernel')).toBe(plain);
    model.dispose();
  });

  it('works on a plain object', () => {
    const host = { w: nn.parameter(() => tf.zeros([2])) as tf.Tensor };
    const [one, own] = [tf.ones([2]), host.w];
    expect(evaluate(host, { w: one }, () => host.w)).toBe(one);
    expect(host.w).toBe(own);
    tf.dispose([one, own]);
  });

  it('refuses what does not fit, assignments and promises, with nothing changed', () => {
    const model = net();
    weightNorm(linearAt(model, 0));
    const [weight, other] = [tf.ones([1, 3]), tf.ones([1, 3], 'int32')];
    const run = (tensors: object, fn: () => unknown = () => 0): string =>
      failure(() => evaluate(model, tensors as tf.NamedTensorMap, fn));
    expect(run({ '2.wieght': weight, 'x.y': weight })).toMatchInlineSnapshot(
      `"UNKNOWN_TENSOR: evaluate: the model has no tensor '2.wieght' (nearest: '2.weight', '0.weight'), 'x.y' (nearest: '0.bias', '2.bias'). describe(model, { unparametrized: true }) lists the tensors."`,
    );
    expect(run({ '0.weight': weight })).toMatchInlineSnapshot(
      `"SHAPE: evaluate: '0.weight' has shape [1, 3], expected [3, 2]. Pass a tensor like that of the model."`,
    );
    expect(run({ '2.weight': other })).toMatchInlineSnapshot(
      `"DTYPE: evaluate: '2.weight' has dtype int32, expected float32. Pass a tensor like that of the model."`,
    );
    expect(run({ '2.weight': 3 })).toMatchInlineSnapshot(
      `"NOT_A_VARIABLE: evaluate: '2.weight' is number. Pass a tensor."`,
    );
    expect(run(3 as never)).toMatch(/^OPTION/);
    expect(run({ '2.weight': weight }, () => Promise.reject(new Error('no')))).toMatchInlineSnapshot(
      `"ASYNC: evaluate: the function returned a promise, and the tensors are shown only until it returns. Compute in evaluate, and wait for data after it."`,
    );
    expect(
      run({ '2.weight': weight }, () => {
        linearAt(model, 2).weight = weight;
      }),
    ).toMatchInlineSnapshot(
      `"CONFLICT: assigning '2.weight': evaluate shows another tensor in its place. Assign before evaluate, or after it."`,
    );
    const g = tf.ones([3, 1]);
    const key = '0.parametrizations.weight.original0';
    const value = tf.ones([3, 2]);
    expect(
      run({ [key]: g }, () => {
        linearAt(model, 0).weight = value;
      }),
    ).toMatchInlineSnapshot(
      `"CONFLICT: assigning Linear.weight: evaluate computes Linear.weight from other tensors at the moment. Wait until the function that does so has ended."`,
    );
    expect(run({ [key]: g }, () => registerParametrization(linearAt(model, 0), 'weight', tf.abs))).toMatch(
      /^CONFLICT/,
    );
    expect(run({ [key]: g }, () => removeParametrizations(linearAt(model, 0), 'weight'))).toMatch(
      /^CONFLICT/,
    );
    expect(failure(() => evaluate(model, {}, 3 as never))).toMatch(/^NOT_A_FUNCTION/);
    tf.dispose([weight, other, g, value]);
    model.dispose();
  });
});
