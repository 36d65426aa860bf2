import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import {
  clone,
  copyInto,
  describe as describeModel,
  freeze,
  groupOptimizer,
  initialize,
  minimize,
  nn,
  parametrize,
  spectralNorm,
  squaredNorms,
  syncOptimizer,
  tie,
  weightNorm,
  without,
} from '../../src/index.ts';
import { failure } from '../parametrize/unchanged.ts';

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

const codeOf = (run: () => unknown): string => failure(run);

describe('a tied tensor in the functions on whole models', () => {
  it('is skipped by rules, which match its source', () => {
    const model = languageModel();
    const report = parametrize(model, [{ apply: weightNorm, match: ['embedding', 'decoder'] }]);
    expect(report.registered.map(({ path }) => path)).toEqual(['embedding']);
    expect(report.skipped.map(({ path, reason }) => [path, reason])).toEqual([
      ['decoder', "it is tied to 'embedding.weight'"],
    ]);
    report.undo();
    model.dispose();
  });

  it('is described as tied, and counts once', () => {
    const model = languageModel();
    weightNorm(model.embedding, 'weight');
    const { rows, totals } = describeModel(model);
    expect(rows.map(({ path, tiedTo, chain, bytes }) => [path, tiedTo, chain, bytes])).toEqual([
      ['embedding', null, ['WeightNorm(dim=0)'], 80],
      ['decoder', 'embedding.weight', ['tied to embedding.weight'], 0],
    ]);
    expect([totals.parameters.all, totals.bytes]).toEqual([25, 100]);
    const other = describeModel(model.decoder).rows[0]!;
    expect(other.chain).toEqual(['tied to Embedding.weight']);
    model.dispose();
  });

  it('is frozen, grouped and optimized with its source', () => {
    const model = languageModel();
    expect(codeOf(() => freeze(model, { match: 'decoder', name: 'weight' }))).toMatchInlineSnapshot(
      `"UNMATCHED_RULE: freeze: 'decoder.weight' has no parameters, it is tied to 'embedding.weight'. Select that. describe(model, { unparametrized: true }) lists the tensors."`,
    );
    expect(freeze(model, { match: 'embedding' }).keys).toEqual(['embedding.weight']);
    expect((model.decoder.weight as tf.Variable).trainable).toBe(false);
    const grouped = groupOptimizer(model, [
      { match: 'embedding', optimizer: tf.train.sgd(0.1) },
      { optimizer: tf.train.sgd(0.1) },
    ]);
    expect(grouped.groups.map(({ keys }) => keys)).toEqual([['embedding.weight'], ['decoder.bias']]);
    grouped.dispose();
    model.dispose();
  });

  it('keeps the state of an optimizer with the source', () => {
    const model = languageModel();
    const optimizer = tf.train.adam(0.01);
    const ids = tf.tensor1d([0, 1], 'int32');
    const step = (): void =>
      minimize(optimizer, () => tf.sum(tf.square(model.call(ids))) as tf.Scalar, model) as never;
    step();
    weightNorm(model.embedding, 'weight');
    syncOptimizer(optimizer, model.parameters());
    step();
    optimizer.dispose();
    ids.dispose();
    model.dispose();
  });

  it('is copied with its source, and averaged once', () => {
    const model = languageModel();
    const average = clone(model);
    tf.tidy(() => {
      initialize(model.embedding, 'weight', (shape) => tf.ones(shape));
      initialize(average.embedding, 'weight', (shape) => tf.zeros(shape));
      copyInto(average, model, { decay: 0.75 });
      expect(average.decoder.weight).toBeAllClose(tf.fill([5, 3], 0.25));
    });
    const plain = new Language();
    weightNorm(model.embedding, 'weight');
    copyInto(plain, model, { folded: true });
    tf.tidy(() => {
      expect(plain.decoder.weight).toBeAllClose(tf.ones([5, 3]));
    });
    for (const one of [model, average, plain]) one.dispose();
  });

  it('is initialized through its source, and counts once in squaredNorms', () => {
    const model = languageModel();
    initialize(model.decoder, 'weight', (shape) => tf.fill(shape, 2));
    tf.tidy(() => {
      expect(model.embedding.weight).toBeAllClose(tf.fill([5, 3], 2));
      expect(squaredNorms(model)).toBeAllClose(60);
      expect(squaredNorms(model.decoder)).toBeAllClose(60);
    });
    model.dispose();
  });

  it('has the value without steps of the source in without', () => {
    const model = languageModel();
    spectralNorm(model.embedding, 'weight');
    model.eval();
    tf.tidy(() => {
      without(model, {}, () => {
        expect(model.decoder.weight).toBeAllClose(
          model.stateDict()['embedding.parametrizations.weight.original']!,
        );
      });
    });
    model.dispose();
  });
});
