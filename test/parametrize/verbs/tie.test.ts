import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import {
  cached,
  clone,
  fold,
  isParametrized,
  nn,
  parametrizationsOn,
  registerParametrization,
  removeParametrizations,
  spectralNorm,
  tie,
  valueOf,
  weightNorm,
} from '../../../src/index.ts';
import { failure } from '../unchanged.ts';

/** An embedding and a decoder, as in a language model. */
class Language extends nn.Module {
  embedding = new nn.Embedding(5, 3);
  decoder = new nn.Linear(3, 5);

  override forward(ids: tf.Tensor): tf.Tensor {
    return this.decoder.call(this.embedding.call(ids));
  }
}

function languageModel(): Language {
  const model = new Language();
  tie(model.decoder, 'weight', model.embedding);
  return model;
}

const numbersOf = (tensor: tf.Tensor): number[] => Array.from(tensor.dataSync());

describe('a tied tensor', () => {
  it('is the tensor of its source, whose variable is the only one', () => {
    const model = languageModel();
    expect(model.decoder.weight).toBe(model.embedding.weight);
    expect(model.namedParameters().map(([key]) => key)).toEqual(['embedding.weight', 'decoder.bias']);
    expect(Object.keys(model.stateDict())).toEqual(['embedding.weight', 'decoder.bias']);
    expect(String(model.decoder)).toContain('tied to Embedding.weight');
    model.dispose();
  });

  it('reads one evaluation of the source, parametrized before or after', () => {
    const model = languageModel();
    weightNorm(model.embedding, 'weight');
    const list = parametrizationsOn(model.embedding, 'weight');
    tf.tidy(() => {
      expect(model.decoder.weight).toBe(model.embedding.weight);
      model.call(tf.tensor1d([0, 1], 'int32'));
    });
    expect(list.evaluations).toBe(1);
    model.dispose();
  });

  it('trains its source through both reads', () => {
    const model = languageModel();
    weightNorm(model.embedding, 'weight');
    const { g, v } = parametrizationsOn(model.embedding, 'weight') as unknown as {
      g: tf.Variable;
      v: tf.Variable;
    };
    const ids = tf.tensor1d([0, 1, 4], 'int32');
    const loss = (): tf.Scalar => tf.sum(tf.square(model.call(ids)));
    const { value, grads } = tf.variableGrads(loss);
    const explicit = tf.variableGrads(() => {
      const w = tf.mul(tf.div(v, tf.norm(v, 2, 1, true)), g);
      const h = tf.matMul(tf.oneHot(ids, 5).toFloat(), w);
      return tf.sum(tf.square(tf.add(tf.matMul(h, w, false, true), model.decoder.bias!)));
    });
    expect(Object.keys(grads).sort()).toEqual(Object.keys(explicit.grads).sort());
    for (const [name, gradient] of Object.entries(grads)) {
      expect(gradient).toBeAllClose(explicit.grads[name]!, { absolute: 1e-4 });
    }
    tf.dispose([value, grads, explicit.value, explicit.grads, ids]);
    model.dispose();
  });

  it('has gradients of second order', () => {
    const source = { w: nn.parameter(() => tf.tensor2d([[1, 2, 3]])) as tf.Tensor };
    const host = { w: nn.parameter(() => tf.zeros([3, 1])) as tf.Tensor };
    tie(host, 'w', source, 'w', { transpose: true });
    tf.tidy(() => {
      const inner = (): tf.Tensor => {
        const { grads } = tf.variableGrads(
          () => tf.sum(tf.pow(host.w, 3)) as tf.Scalar,
          [source.w as tf.Variable],
        );
        return grads[(source.w as tf.Variable).name]!;
      };
      const { grads } = tf.variableGrads(() => tf.sum(inner()) as tf.Scalar, [source.w as tf.Variable]);
      expect(grads[(source.w as tf.Variable).name]).toBeAllClose([[6, 12, 18]]);
    });
    source.w.dispose();
  });

  it('is never stale, transposed, in and out of cached', () => {
    const source = new nn.Linear(3, 2);
    const host = new nn.Linear(2, 3);
    tie(host, 'weight', source, 'weight', { transpose: true });
    const check = (): void =>
      tf.tidy(() => {
        expect(host.weight).toBeAllClose(tf.transpose(source.weight));
      });
    const steps = [
      check,
      () => (source.weight as tf.Variable).assign(tf.randomNormal([2, 3])),
      () => void weightNorm(source),
      () => parametrizationsOn(source, 'weight').original1!.assign(tf.randomNormal([2, 3])),
      () => void registerParametrization(source, 'weight', (x: tf.Tensor) => tf.mul(x, 2)),
      () => void removeParametrizations(source, 'weight'),
      () => {
        source.weight = nn.parameter(() => tf.randomNormal([2, 3]));
      },
    ];
    const held = source.weight;
    const run = (): void => {
      for (const step of steps) {
        tf.tidy(() => void step());
        check();
      }
    };
    run();
    (held as tf.Variable).dispose();
    const second = source.weight;
    cached(run);
    (second as tf.Variable).dispose();
    host.dispose();
    source.dispose();
  });

  it('keeps one transposed value for unchanged variables', () => {
    const source = weightNorm(new nn.Linear(3, 2));
    const host = new nn.Linear(2, 3);
    tie(host, 'weight', source, 'weight', { transpose: true });
    expect(host.weight).toBe(host.weight);
    expect(parametrizationsOn(host, 'weight').evaluations).toBe(1);
    host.dispose();
    source.dispose();
  });

  it('writes to its source', () => {
    const source = weightNorm(new nn.Linear(3, 2));
    const host = new nn.Linear(2, 3);
    tie(host, 'weight', source, 'weight', { transpose: true });
    const value = tf.tensor2d([1, 2, 3, 4, 5, 6], [3, 2]);
    host.weight = value;
    tf.tidy(() => {
      expect(source.weight).toBeAllClose(tf.transpose(value));
      expect(host.weight).toBeAllClose(value);
    });
    const wrong = tf.zeros([2, 3]);
    expect(
      failure(() => {
        host.weight = wrong;
      }),
    ).toMatchInlineSnapshot(
      `"SHAPE: assigning Linear.weight: the value has shape [2, 3], expected [3, 2]. Assign a tensor like the current value."`,
    );
    tf.dispose([value, wrong]);
    host.dispose();
    source.dispose();
  });

  it('may read a tied tensor, and follows it', () => {
    const [a, b, c] = [new nn.Linear(2, 3), new nn.Linear(3, 2), new nn.Linear(2, 3)];
    tie(b, 'weight', a, 'weight', { transpose: true });
    tie(c, 'weight', b, 'weight', { transpose: true });
    expect(c.weight).toBe(a.weight);
    const other = new nn.Linear(2, 3);
    tie(a, 'weight', other);
    expect(c.weight).toBe(other.weight);
    for (const one of [a, b, c, other]) one.dispose();
  });

  it('gets a variable of its own by removal, and the source stays', () => {
    const model = languageModel();
    const { name } = model.embedding.weight as tf.Variable;
    removeParametrizations(model.decoder, 'weight');
    expect(isParametrized(model.decoder)).toBe(false);
    expect(model.decoder.weight).not.toBe(model.embedding.weight);
    expect(numbersOf(model.decoder.weight)).toEqual(numbersOf(model.embedding.weight));
    expect([
      (model.decoder.weight as tf.Variable).trainable,
      (model.embedding.weight as tf.Variable).name,
    ]).toEqual([true, name]);
    expect(Object.keys(model.stateDict())).toEqual(['embedding.weight', 'decoder.weight', 'decoder.bias']);
    model.dispose();
  });

  it('is one variable after fold, a copy if it is transposed or the source is outside', () => {
    const model = languageModel();
    spectralNorm(model.embedding, 'weight');
    expect(fold(model)).toEqual(['embedding.weight', 'decoder.weight']);
    expect(model.decoder.weight).toBe(model.embedding.weight);
    expect(Object.keys(model.stateDict())).toEqual(['embedding.weight', 'decoder.weight', 'decoder.bias']);
    model.dispose();
    const source = weightNorm(new nn.Linear(3, 2));
    const [host, same] = [new nn.Linear(2, 3), new nn.Linear(3, 2)];
    tie(host, 'weight', source, 'weight', { transpose: true });
    tie(same, 'weight', source);
    fold(host);
    fold(same);
    expect(source.parameters()).not.toContain(same.weight);
    tf.tidy(() => {
      expect(host.weight).toBeAllClose(tf.transpose(source.weight));
      expect(same.weight).toBeAllClose(source.weight);
    });
    for (const one of [host, same, source]) one.dispose();
  });

  it('stays tied in a copy, and reads the same source in a copy without it', () => {
    const model = languageModel();
    weightNorm(model.embedding, 'weight');
    const copy = clone(model);
    tf.tidy(() => {
      expect(copy.decoder.weight).toBe(copy.embedding.weight);
      copy.embedding.weight = tf.ones([5, 3]);
      expect(copy.decoder.weight).toBeAllClose(tf.ones([5, 3]));
      expect(model.decoder.weight).not.toBe(copy.decoder.weight);
    });
    const decoder = model.decoder.clone();
    tf.tidy(() => {
      expect(decoder.weight).toBe(model.embedding.weight);
    });
    removeParametrizations(copy.decoder, 'weight');
    for (const one of [copy, decoder, model]) one.dispose();
  });

  it('is refused by what would change it, with nothing changed', () => {
    const model = languageModel();
    expect(failure(() => weightNorm(model.decoder))).toMatchInlineSnapshot(
      `"TIED: weightNorm: Linear.weight is tied to Embedding.weight. Do it on Embedding.weight: both read it. Or give this one its own variable first: removeParametrizations(host, name)."`,
    );
    expect(failure(() => registerParametrization(model.decoder, 'weight', tf.abs))).toMatch(/^TIED/);
    tie(model.decoder, 'weight', model.embedding);
    expect(failure(() => tie(model.embedding, 'weight', model.decoder))).toMatchInlineSnapshot(
      `"CYCLE: tie: Embedding.weight would be tied to itself. Pass the tensor that it is to read."`,
    );
    const other = new nn.Linear(3, 5);
    expect(failure(() => tie(model.decoder, 'weight', other))).toMatchInlineSnapshot(
      `"ALREADY_PARAMETRIZED: tie: Linear.weight is parametrized already. Call removeParametrizations on it first."`,
    );
    expect(
      failure(() => tie(other, 'weight', model.embedding, 'weight', { transpose: true })),
    ).toMatchInlineSnapshot(
      `"SHAPE: tie: Linear.weight has shape [5, 3], expected [3, 5]. It would be the transpose of Embedding.weight."`,
    );
    expect(
      failure(() => tie(other, 'bias', model.decoder, 'bias', { transpose: true })),
    ).toMatchInlineSnapshot(
      `"SHAPE: tie: Linear.bias has shape [5], and only a matrix can be transposed. Leave transpose out."`,
    );
    expect(failure(() => tie(other, 'wieght', model.embedding))).toMatch(
      /^UNKNOWN_TENSOR: tie: Embedding has no/,
    );
    expect(failure(() => tie(other, 'wieght', model.embedding, 'weight'))).toMatch(
      /^UNKNOWN_TENSOR: tie: Linear has no/,
    );
    expect(failure(() => tie(other, 'weight', 3 as never))).toMatch(/^UNSUPPORTED_HOST/);
    expect(
      failure(() => tie(other, 'weight', model.embedding, 'weight', { transposed: true } as never)),
    ).toMatch(/^OPTION/);
    weightNorm(other);
    const list = parametrizationsOn(other, 'weight');
    expect(failure(() => tie(list, 'original1', model.embedding, 'weight'))).toMatchInlineSnapshot(
      `"UNSUPPORTED_HOST: tie: ParametrizationList.original1 is a part of a chain. Tie the tensor that the chain computes."`,
    );
    expect(failure(() => tie(other, 'weight', model.embedding))).toMatch(/^ALREADY_PARAMETRIZED/);
    const holder = new nn.Linear(3, 5);
    const second = new nn.Linear(3, 5);
    const own = second.weight as tf.Variable;
    second.weight = holder.weight;
    expect(failure(() => tie(holder, 'weight', model.embedding))).toMatch(/^TIED/);
    own.dispose();
    for (const one of [model, other, second, holder]) one.dispose();
  });

  it('may have been the variable of the source before', () => {
    const model = new Language();
    (model.decoder.weight as tf.Variable).dispose();
    model.decoder.weight = model.embedding.weight;
    tie(model.decoder, 'weight', model.embedding);
    weightNorm(model.embedding, 'weight');
    tf.tidy(() => {
      expect(model.decoder.weight).toBe(model.embedding.weight);
    });
    removeParametrizations(model.decoder, 'weight');
    model.dispose();
  });

  it('is a tensor of a plain object, too, and of another kind of host', () => {
    const object = { table: nn.parameter(() => tf.zeros([3, 2])) as tf.Tensor };
    const layer = new nn.Linear(2, 3);
    tie(object, 'table', layer, 'weight');
    expect(object.table).toBe(layer.weight);
    expect(valueOf(object, 'table')).toBe(layer.weight);
    removeParametrizations(object, 'table');
    object.table.dispose();
    layer.dispose();
  });
});

describe('the state dict of a tied tensor', () => {
  it('has its key in the key format folded only, and is loaded from either key', () => {
    const model = languageModel();
    weightNorm(model.embedding, 'weight');
    const folded = model.stateDict({ keyFormat: 'folded' });
    expect(Object.keys(folded)).toEqual(['embedding.weight', 'decoder.weight', 'decoder.bias']);
    for (const keyFormat of ['modern', 'legacy'] as const) {
      expect(Object.keys(model.stateDict({ keyFormat })).filter((key) => key.startsWith('decoder'))).toEqual([
        'decoder.bias',
      ]);
    }
    const bias = tf.zeros([5]);
    const weight = tf.randomNormal([5, 3]);
    const { mapped } = model.loadStateDict({ 'decoder.weight': weight, 'decoder.bias': bias });
    expect(mapped.map(({ from }) => from)).toEqual([['decoder.weight']]);
    tf.tidy(() => {
      expect(model.embedding.weight).toBeAllClose(weight, { absolute: 1e-5 });
    });
    model.loadStateDict(folded);
    expect(failure(() => model.loadStateDict({ ...folded, 'decoder.weight': weight }))).toMatchInlineSnapshot(
      `"STATE_DICT: loadStateDict: the map does not fit Language: 'embedding.weight' and 'decoder.weight' are one variable of the module, and two values in the map. Nothing was loaded. Leave one of the two out."`,
    );
    tf.dispose([folded, weight, bias]);
    model.dispose();
  });

  it('is transposed where the tie is', () => {
    class Pair extends nn.Module {
      down = new nn.Linear(3, 2);
      up = new nn.Linear(2, 3);
      override forward(x: tf.Tensor): tf.Tensor {
        return this.up.call(this.down.call(x));
      }
    }
    const pair = new Pair();
    tie(pair.up, 'weight', pair.down, 'weight', { transpose: true });
    const state = pair.stateDict({ keyFormat: 'folded' });
    expect(state['up.weight']!.shape).toEqual([3, 2]);
    pair.loadStateDict(state);
    const weight = tf.tensor2d([1, 2, 3, 4, 5, 6], [3, 2]);
    const { 'down.weight': down, 'up.weight': up, ...biases } = state;
    pair.loadStateDict({ ...biases, 'up.weight': weight });
    expect(numbersOf(pair.down.weight)).toEqual([1, 3, 5, 2, 4, 6]);
    expect(failure(() => pair.loadStateDict({ ...state, 'up.weight': weight }))).toMatch(
      /'down\.weight' and 'up\.weight' are one variable/,
    );
    tf.dispose([state, weight, down!, up!]);
    pair.dispose();
  });
});
