import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { Embedding, type EmbeddingOptions, manualSeed, type PretrainedOptions } from '../../src/nn/index.ts';
import { layerCases } from './golden.ts';
import { expectGradients } from './gradientCheck.ts';
import { statistics } from './init/statistics.ts';
import { expectLayerCase } from './layerCase.ts';

describe('Embedding', () => {
  it.each(layerCases('Embedding'))(
    "has torch's output and gradient (weight normalized over dim $dim)",
    (golden) => {
      expectLayerCase(new Embedding(6, 4), golden);
    },
  );

  it.each([[[]], [[3]], [[2, 0]], [[1, 2, 2]]])('looks up indices of shape [%s]', (shape) => {
    const table = new Embedding(5, 2);
    const size = tf.util.sizeFromShape(shape);
    const indices = Array.from({ length: size }, (_, i) => (3 * i + 1) % 5);
    const x = tf.tensor(indices, shape, 'int32');
    const y = table.call(x);
    const rows = table.weight.dataSync();
    expect(y.shape).toEqual([...shape, 2]);
    expect(Array.from(y.dataSync())).toBeAllClose(indices.flatMap((i) => [rows[2 * i]!, rows[2 * i + 1]!]));
    tf.dispose([x, y]);
    table.dispose();
  });

  it('adds up the gradients of a row that is looked up twice, and leaves the others at zero', () => {
    const table = new Embedding(3, 2);
    const x = tf.tensor1d([2, 0, 2], 'int32');
    const dy = tf.tensor2d([
      [1, 2],
      [3, 4],
      [10, 20],
    ]);
    const { value, grads } = tf.variableGrads(() => tf.sum(tf.mul(table.call(x), dy)), table.parameters());
    expect(Object.values(grads)[0]!).toBeAllClose([
      [3, 4],
      [0, 0],
      [11, 22],
    ]);
    tf.dispose([x, dy, value, grads]);
    table.dispose();
  });

  it('has a gradient of zeros for no indices at all', () => {
    const table = new Embedding(3, 2);
    const x = tf.tensor1d([], 'int32');
    const { value, grads } = tf.variableGrads(() => tf.sum(table.call(x)), table.parameters());
    expect(Object.values(grads)[0]!).toBeAllClose([0, 0, 0, 0, 0, 0].flat());
    tf.dispose([x, value, grads]);
    table.dispose();
  });

  it('can be differentiated twice', () => {
    const table = new Embedding(4, 3);
    const x = tf.tensor2d([[1, 3, 1]], [1, 3], 'int32');
    expectGradients(() => tf.square(table.call(x)), table.parameters());
    x.dispose();
    table.dispose();
  });

  it('begins with N(0, 1)', () => {
    manualSeed(0);
    const table = new Embedding(100, 50);
    const { mean, std } = statistics(table.weight);
    expect([mean, std]).toBeAllClose([0, 1], { absolute: 0.05 });
    table.dispose();
  });

  it("has torch's key and printed form", () => {
    const table = new Embedding(10, 3);
    expect(Object.keys(table.stateDict())).toEqual(['weight']);
    expect(table.toString()).toBe('Embedding(10, 3)');
    table.dispose();
  });

  it('refuses indices that are not int32', () => {
    const table = new Embedding(3, 2);
    const x = tf.tensor1d([0, 1]);
    expect(() => table.call(x)).toThrow(
      expect.objectContaining({
        code: 'DTYPE',
        message: expect.stringContaining('the indices have dtype float32, they must have int32'),
      }),
    );
    x.dispose();
    table.dispose();
  });

  it.each([[3], [-1]])('refuses index %i of a table of three', (index) => {
    const table = new Embedding(3, 2);
    const x = tf.tensor1d([index], 'int32');
    expect(() => table.call(x)).toThrow(`index value ${index} is not in [0, 2]`);
    x.dispose();
    table.dispose();
  });

  it.each([1, -3])(
    'begins with zeros in the row of the padding and keeps them (paddingIdx %i)',
    (paddingIdx) => {
      manualSeed(0);
      const table = new Embedding(4, 3, { paddingIdx });
      expect(table.paddingIdx).toBe(1);
      const x = tf.tensor2d([[1, 3, 1]], [1, 3], 'int32');
      const optimizer = tf.train.sgd(0.5);
      const zeros = (): boolean[] => {
        const values = Array.from(table.weight.dataSync());
        return [0, 1, 2, 3].map((row) => values.slice(3 * row, 3 * row + 3).every((value) => value === 0));
      };
      expect(zeros()).toEqual([false, true, false, false]);
      const before = Array.from(table.weight.dataSync());
      optimizer.minimize(() => tf.sum(tf.square(tf.sub(table.call(x), 1))));
      expect(zeros()).toEqual([false, true, false, false]);
      expect(Array.from(table.weight.dataSync()).slice(0, 9)).toEqual(before.slice(0, 9));
      expect(Array.from(table.weight.dataSync()).slice(9)).not.toEqual(before.slice(9));
      x.dispose();
      optimizer.dispose();
      table.dispose();
    },
  );

  it('looks up the row of the padding as it is, and keeps everything else of its gradient out', () => {
    const table = new Embedding(3, 2, { paddingIdx: 0 });
    const rows = tf.tensor2d([
      [7, 8],
      [1, 2],
      [3, 4],
    ]);
    table.loadStateDict({ weight: rows });
    const x = tf.tensor1d([0, 2], 'int32');
    const y = table.call(x);
    expect(y).toBeAllClose([
      [7, 8],
      [3, 4],
    ]);
    // A gradient that is not finite too: torch leaves the rows out, it does not multiply them by zero.
    const factors = tf.tensor2d([
      [Number.POSITIVE_INFINITY, Number.NaN],
      [5, 6],
    ]);
    const { value, grads } = tf.variableGrads(
      () => tf.sum(tf.mul(table.call(x), factors)),
      table.parameters(),
    );
    expect(Object.values(grads)[0]!).toBeAllClose([
      [0, 0],
      [0, 0],
      [5, 6],
    ]);
    tf.dispose([rows, x, y, factors, value, grads]);
    table.dispose();
  });

  it('can be differentiated twice with a padding, which has no second gradient either', () => {
    const table = new Embedding(4, 2, { paddingIdx: 3 });
    const [x, r] = [tf.tensor1d([1, 3, 1], 'int32'), tf.tensor2d([1, 2, 3, 4, 5, 6], [3, 2])];
    // Against the same function of a table in which the padding stands as a constant.
    const [whole, constant] = [table.weight as tf.Variable, table.weight.clone()];
    const isWord = tf.tensor2d([1, 1, 1, 0], [4, 1]);
    const f = (rows: tf.Tensor) => tf.mul(tf.pow(rows, 3), r);
    const penalty = (rows: () => tf.Tensor) => () => {
      const { grads } = tf.variableGrads(() => tf.sum(f(rows())), [whole]);
      return tf.sum(tf.square(grads[whole.name]!)) as tf.Scalar;
    };
    const dense = () => {
      const masked = tf.add(tf.mul(whole, isWord), tf.mul(constant, tf.sub(1, isWord)));
      return tf.matMul(tf.cast(tf.oneHot(x, 4), 'float32'), masked as tf.Tensor2D);
    };
    tf.tidy(() => {
      const found = tf.variableGrads(
        penalty(() => table.call(x)),
        [whole],
      ).grads[whole.name]!;
      const wanted = tf.variableGrads(penalty(dense), [whole]).grads[whole.name]!;
      expect(found).toBeAllClose(wanted, { absolute: 1e-3 });
      expect(tf.sum(tf.abs(found)).dataSync()[0]).toBeGreaterThan(0);
      expect(tf.slice(found, 3, 1)).toBeAllClose([[0, 0]]);
    });
    tf.dispose([x, r, constant, isWord]);
    table.dispose();
  });

  it('has a gradient of zeros for no indices at all, also with a padding', () => {
    const table = new Embedding(3, 2, { paddingIdx: 1 });
    const x = tf.tensor1d([], 'int32');
    const { value, grads } = tf.variableGrads(() => tf.sum(table.call(x)), table.parameters());
    expect(Object.values(grads)[0]!).toBeAllClose([0, 0, 0, 0, 0, 0]);
    tf.dispose([x, value, grads]);
    table.dispose();
  });

  it('takes a table that is given, frozen or not, as it is also in the row of the padding', () => {
    const rows = [
      [1, 2],
      [3, 4],
      [5, 6],
    ];
    const given = tf.tensor2d(rows);
    const frozen = Embedding.fromPretrained(given, { paddingIdx: -1 });
    expect(given.isDisposed).toBe(true);
    expect(frozen.weight).toBeAllClose(rows);
    expect([frozen.numEmbeddings, frozen.embeddingDim, frozen.paddingIdx]).toEqual([3, 2, 2]);
    expect((frozen.weight as tf.Variable).trainable).toBe(false);
    expect(frozen.parameters().length).toBe(1);
    expect(frozen.toString()).toBe('Embedding(3, 2, paddingIdx=2)');
    const free = Embedding.fromPretrained(frozen.weight, { freeze: false });
    expect([free.weight === frozen.weight, (free.weight as tf.Variable).trainable]).toEqual([false, true]);
    frozen.dispose();
    expect(free.weight).toBeAllClose(rows);
    free.dispose();
  });

  it('draws no random numbers for a table that is given', () => {
    const drawn = (): number => {
      const table = new Embedding(1, 1);
      const value = table.weight.dataSync()[0]!;
      table.dispose();
      return value;
    };
    manualSeed(4);
    const wanted = drawn();
    manualSeed(4);
    Embedding.fromPretrained(tf.ones([2, 2])).dispose();
    expect(drawn()).toBe(wanted);
  });

  it.each<[string, () => tf.Tensor, PretrainedOptions, string, string]>([
    ['a vector', () => tf.ones([4]), {}, 'SHAPE', 'has shape [4], it must be [numEmbeddings, embeddingDim]'],
    ['an empty table', () => tf.zeros([0, 4]), {}, 'SHAPE', 'has shape [0, 4]'],
    ['integers', () => tf.ones([2, 2], 'int32'), {}, 'DTYPE', 'dtype int32, it must have float32'],
    [
      'another padding',
      () => tf.ones([2, 2]),
      { paddingIdx: 2 },
      'OPTION',
      'paddingIdx is 2, but the table has 2',
    ],
    ['no boolean', () => tf.ones([2, 2]), { freeze: 1 as never }, 'OPTION', 'freeze is 1'],
    [
      'another option',
      () => tf.ones([2, 2]),
      { maxNorm: 1 } as never,
      'OPTION',
      "'maxNorm' is not an option",
    ],
  ])("refuses %s for a given table, which stays the caller's", (_what, make, options, code, message) => {
    const table = make();
    expect(() => Embedding.fromPretrained(table, options)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    );
    expect(table.isDisposed).toBe(false);
    table.dispose();
  });

  it('refuses a table that is no tensor or of other sizes', () => {
    expect(() => Embedding.fromPretrained([[1]] as never)).toThrow(
      expect.objectContaining({ code: 'NOT_A_VARIABLE' }),
    );
    const table = tf.ones([2, 3]);
    expect(() => new Embedding(3, 2, {}, table)).toThrow('has shape [2, 3], it must be [3, 2]');
    table.dispose();
  });

  it.each([3, -4, 0.5, '1', Number.NaN])('refuses paddingIdx %s of a table of three', (paddingIdx) => {
    expect(() => new Embedding(3, 2, { paddingIdx } as EmbeddingOptions)).toThrow(
      expect.objectContaining({
        code: 'OPTION',
        message: `Embedding: paddingIdx is ${paddingIdx}, but the table has 3 rows. Pass an index from -3 to 2.`,
      }),
    );
  });

  it('refuses options that it does not have', () => {
    expect(() => new Embedding(3, 2, { padding: 0 } as EmbeddingOptions)).toThrow(
      "'padding' is not an option",
    );
    expect(() => new Embedding(3, 2, 0 as never)).toThrow(expect.objectContaining({ code: 'OPTION' }));
  });

  it('refuses sizes that are no positive integers', () => {
    expect(() => new Embedding(0, 2)).toThrow(expect.objectContaining({ code: 'OPTION' }));
    expect(() => new Embedding(2, 1.5)).toThrow('embeddingDim is 1.5');
  });
});
