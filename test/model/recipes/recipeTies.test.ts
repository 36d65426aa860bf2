import * as tf from '@tensorflow/tfjs';
import {
  applyRecipe,
  catalog,
  clone,
  isParametrized,
  nn,
  type Recipe,
  recipeOf,
  registerParametrization,
  removeParametrizations,
  type TensorRecipe,
  tie,
  valueOf,
  weightNorm,
} from 'tfjs-parametrize';
import 'tfjs-parametrize/layers';
import { describe, expect, it } from 'vitest';
import { failure } from '../../parametrize/unchanged.ts';

class Language extends nn.Module {
  embedding = new nn.Embedding(5, 3);
  decoder = new nn.Linear(3, 5);
  other = new nn.Linear(5, 3);

  override forward(ids: tf.Tensor): tf.Tensor {
    return this.decoder.call(this.embedding.call(ids));
  }
}

function tied(): Language {
  const model = new Language();
  tie(model.decoder, 'weight', model.embedding);
  tie(model.other, 'weight', model.embedding, 'weight', { transpose: true });
  weightNorm(model.embedding, 'weight');
  return model;
}

const version2 = (...parametrizations: TensorRecipe[]): Recipe => ({ version: 2, parametrizations });

const tieOn = (path: string, to: string, more: object = {}): TensorRecipe => ({
  path,
  tensor: 'weight',
  steps: [],
  tiedTo: { path: to, tensor: 'weight', ...more },
});

const embeddingNorm: TensorRecipe = {
  path: 'embedding',
  tensor: 'weight',
  steps: [{ kind: 'weightNorm', options: { dim: [0], eps: 0, scale: 'linear' } }],
};

describe('ties in recipes', () => {
  it('are written with their source, in version 2', () => {
    const model = tied();
    expect(recipeOf(model)).toEqual(
      version2(
        embeddingNorm,
        tieOn('decoder', 'embedding'),
        tieOn('other', 'embedding', { transpose: true }),
      ),
    );
    removeParametrizations(model.decoder, 'weight');
    removeParametrizations(model.other, 'weight');
    expect(recipeOf(model)).toEqual({ version: 1, parametrizations: [embeddingNorm] });
    model.dispose();
  });

  it('make the same keys and values, whatever their order, and nothing again', () => {
    const model = tied();
    const { parametrizations } = recipeOf(model);
    for (const entries of [parametrizations, [...parametrizations].reverse()]) {
      const other = new Language();
      const text = JSON.stringify(version2(...entries));
      const report = applyRecipe(other, text, { catalog });
      expect(report.registered.map(({ path, kind }) => [path, kind])).toEqual([
        ['embedding', 'weightNorm'],
        ...entries.flatMap(({ path, tiedTo }) => (tiedTo ? [[path, 'tie']] : [])),
      ]);
      expect(recipeOf(other)).toEqual(recipeOf(model));
      expect(Object.keys(other.stateDict())).toEqual(Object.keys(model.stateDict()));
      other.loadStateDict(model.stateDict());
      tf.tidy(() => {
        expect(other.other.weight).toBeAllClose(tf.transpose(model.embedding.weight));
      });
      const again = applyRecipe(other, text, { catalog });
      expect([again.registered, again.unchanged.length]).toEqual([[], 3]);
      other.dispose();
    }
    model.dispose();
  });

  it('are planned without changes, printed, and undone', () => {
    const [model, other] = [tied(), new Language()];
    const keys = Object.keys(other.stateDict());
    const plan = applyRecipe(other, recipeOf(model), { catalog, dryRun: true });
    expect(plan.registered.map(({ path, kind }) => [path, kind])).toEqual([
      ['embedding', 'weightNorm'],
      ['decoder', 'tie'],
      ['other', 'tie'],
    ]);
    expect(plan.recipe).toEqual(recipeOf(model));
    expect(Object.keys(other.stateDict())).toEqual(keys);
    expect(isParametrized(other)).toBe(false);
    const report = applyRecipe(other, plan.recipe, { catalog });
    expect(report.recipe).toEqual(recipeOf(model));
    expect(String(report)).toMatch(/other\.weight +\[3, 5\] +3 +\+ tied to embedding\.weight, transposed/);
    expect(String(report)).toContain('3 of 5 tensors parametrized');
    const value = tf.tidy(() => tf.clone(other.embedding.weight));
    report.undo();
    expect(Object.keys(other.stateDict())).toEqual(keys);
    expect(other.decoder.weight).toBeAllClose(value, { absolute: 0 });
    expect(other.decoder.weight).not.toBe(other.embedding.weight);
    value.dispose();
    report.undo();
    model.dispose();
    other.dispose();
  });

  it('leave a tie that is gone, or was made anew, to undo', () => {
    const model = new Language();
    const report = applyRecipe(
      model,
      version2(tieOn('decoder', 'embedding'), tieOn('other', 'embedding', { transpose: true })),
      { catalog },
    );
    removeParametrizations(model.decoder, 'weight');
    tie(model.decoder, 'weight', model.embedding);
    report.undo();
    expect(recipeOf(model)).toEqual(version2(tieOn('decoder', 'embedding')));
    model.dispose();
  });

  it('go through tied tensors to the last source', () => {
    const model = new Language();
    const given = version2(
      tieOn('other', 'decoder', { transpose: true }),
      tieOn('decoder', 'embedding'),
      tieOn('decoder', 'embedding', { transpose: false }),
    );
    const report = applyRecipe(model, given, { catalog });
    expect(report.unchanged.map(({ rule }) => rule)).toEqual([2]);
    expect(recipeOf(model).parametrizations.map(({ tiedTo }) => tiedTo)).toEqual([
      { path: 'embedding', tensor: 'weight' },
      { path: 'embedding', tensor: 'weight', transpose: true },
    ]);
    expect(applyRecipe(model, given, { catalog }).registered).toEqual([]);
    model.dispose();
  });

  it('are in a copy, and in no recipe of a part without the source', () => {
    const model = tied();
    const copy = clone(model);
    expect(recipeOf(copy)).toEqual(recipeOf(model));
    const { parametrizations } = recipeOf(model.decoder);
    expect(parametrizations).toEqual([
      { path: '', tensor: 'weight', steps: [{ kind: 'function', options: {} }] },
    ]);
    copy.dispose();
    model.dispose();
  });

  it('are refused where a tensor is tied elsewhere or parametrized, with everything unchanged', () => {
    const model = new Language();
    tie(model.decoder, 'weight', model.embedding);
    weightNorm(model.other);
    const apply = (...entries: TensorRecipe[]): string =>
      failure(() => applyRecipe(model, version2(...entries), { catalog }), model);
    const square = new nn.Sequential(new nn.Linear(2, 2), new nn.Linear(2, 2), new nn.Linear(2, 2));
    const onSquare = (...entries: TensorRecipe[]): string =>
      failure(() => applyRecipe(square, version2(...entries), { catalog }), square);
    expect([
      apply(embeddingNorm, tieOn('decoder', 'other', { transpose: true })),
      apply(embeddingNorm, tieOn('other', 'embedding', { transpose: true })),
      apply({ ...embeddingNorm, path: 'decoder' }),
      apply(tieOn('other', 'other')),
      apply({ ...embeddingNorm, path: 'other', steps: [] }, tieOn('other', 'embedding')),
      onSquare(tieOn('0', '1'), tieOn('0', '2')),
      onSquare(tieOn('0', '1'), tieOn('0', '1', { transpose: true })),
      onSquare(tieOn('0', '1'), tieOn('1', '2'), tieOn('2', '0')),
      onSquare(tieOn('0', '1'), { ...embeddingNorm, path: '0' }),
      onSquare({ ...embeddingNorm, path: '0' }, tieOn('1', '5')),
      onSquare({ ...embeddingNorm, path: '0' }, tieOn('7', '0')),
      apply({ ...embeddingNorm, path: 'embedding' }, tieOn('other', 'decoder')),
    ]).toMatchInlineSnapshot(`
      [
        "CONFLICT: applyRecipe: 'decoder.weight' is tied to 'embedding.weight' already. Remove the parametrizations of these tensors, or leave them out of the recipe.",
        "CONFLICT: applyRecipe: 'other.weight' has WeightNorm(dim=0) already. Remove the parametrizations of these tensors, or leave them out of the recipe.",
        "CONFLICT: applyRecipe: 'decoder.weight' is tied to 'embedding.weight' already. Remove the parametrizations of these tensors, or leave them out of the recipe.",
        "CYCLE: applyRecipe: 'other.weight' would be tied to itself. Correct its tiedTo.",
        "CONFLICT: applyRecipe: 'other.weight' has WeightNorm(dim=0) already; two entries are about 'other.weight', with other steps. Remove the parametrizations of these tensors, or leave them out of the recipe. Leave one of the entries out of the recipe.",
        "CONFLICT: applyRecipe: two entries are about '0.weight', with other steps. Leave one of the entries out of the recipe.",
        "CONFLICT: applyRecipe: two entries are about '0.weight', with other steps. Leave one of the entries out of the recipe.",
        "CYCLE: applyRecipe: '0.weight' would be tied to itself. Correct its tiedTo.",
        "CONFLICT: applyRecipe: two entries are about '0.weight', with other steps. Leave one of the entries out of the recipe.",
        "UNKNOWN_TENSOR: applyRecipe: the model has no tensor '5.weight' (nearest: '0.weight', '1.weight'). Build the model that the recipe was made of, or pass strict: false to leave these tensors out.",
        "UNKNOWN_TENSOR: applyRecipe: the model has no tensor '7.weight' (nearest: '0.weight', '1.weight'). Build the model that the recipe was made of, or pass strict: false to leave these tensors out.",
        "CONFLICT: applyRecipe: 'other.weight' has WeightNorm(dim=0) already. Remove the parametrizations of these tensors, or leave them out of the recipe.",
      ]
    `);
    tie(square[1] as nn.Linear, 'weight', square[0] as nn.Linear);
    expect(onSquare(tieOn('0', '1'))).toMatch(/^CYCLE: applyRecipe: '0.weight' would be tied to itself/);
    model.dispose();
    square.dispose();
  });

  it('take everything back if a late one does not fit', () => {
    const model = new Language();
    const given = version2(embeddingNorm, tieOn('decoder', 'embedding'), tieOn('other', 'embedding'));
    expect(failure(() => applyRecipe(model, given, { catalog }), model)).toMatchInlineSnapshot(
      `"SHAPE: applyRecipe: 'other.weight': Linear.weight has shape [3, 5], expected [5, 3]. It would be Embedding.weight."`,
    );
    expect(recipeOf(model).parametrizations).toEqual([]);
    model.dispose();
  });

  it('that do not fit are refused by a dry run as by the call, all at once', () => {
    class Mixed extends Language {
      conv = new nn.Conv1d(3, 5, 2);
    }
    const model = new Mixed();
    const refusals = [
      [tieOn('decoder', 'embedding', { transpose: true }), tieOn('other', 'embedding')],
      [tieOn('decoder', 'conv', { transpose: true })],
      [tieOn('conv', 'embedding')],
    ].map((entries) => {
      const [dry, real] = [true, false].map((dryRun) =>
        failure(() => applyRecipe(model, version2(embeddingNorm, ...entries), { catalog, dryRun }), model),
      );
      expect(dry).toBe(real);
      return dry;
    });
    expect(refusals).toMatchInlineSnapshot(`
      [
        "SHAPE: applyRecipe: 'decoder.weight': Linear.weight has shape [5, 3], expected [3, 5]; 'other.weight': Linear.weight has shape [3, 5], expected [5, 3]. It would be the transpose of Embedding.weight.",
        "SHAPE: applyRecipe: 'decoder.weight': Conv1d.weight has shape [5, 3, 2], and only a matrix can be transposed. Leave transpose out.",
        "SHAPE: applyRecipe: 'conv.weight': Conv1d.weight has shape [5, 3, 2], expected [5, 3]. It would be Embedding.weight.",
      ]
    `);
    model.dispose();
  });

  it('are left out without a source if strict is false', () => {
    const model = new Language();
    const given = version2(
      tieOn('decoder', 'gone'),
      tieOn('gone', 'embedding'),
      tieOn('other', 'embedding', { transpose: true }),
    );
    const report = applyRecipe(model, given, { catalog, strict: false });
    expect(report.unmatched).toEqual([0, 1]);
    expect(report.skipped.map(({ path, kind, reason }) => [path, kind, reason])).toEqual([
      ['decoder', 'tie', "the model has no tensor 'gone.weight'"],
      ['gone', 'tie', 'the model has no such tensor'],
    ]);
    expect(report.registered.map(({ path }) => path)).toEqual(['other']);
    model.dispose();
  });

  it.each<[string, unknown]>([
    ['null', null],
    ['a path that is no text', { path: 1, tensor: 'weight' }],
    ['no tensor', { path: 'embedding' }],
    ['inherited fields', Object.create({ path: 'embedding', tensor: 'weight' })],
    ['another transpose', { path: 'embedding', tensor: 'weight', transpose: 1 }],
    ['a list', ['embedding', 'weight']],
  ])('are refused as damaged with %s', (_name, tiedTo) => {
    const model = new Language();
    const given = version2({ ...tieOn('decoder', ''), tiedTo: tiedTo as never });
    expect(failure(() => applyRecipe(model, given, { catalog }), model)).toBe(
      'CORRUPT: applyRecipe: the recipe of parametrizations has no tensor in tiedTo. Pass what recipeOf returns, or its JSON.',
    );
    model.dispose();
  });

  it('are refused in version 1, beside steps or frozen originals, and with long paths', () => {
    const model = new Language();
    const apply = (recipe: Recipe): string => failure(() => applyRecipe(model, recipe, { catalog }), model);
    const entry = tieOn('decoder', 'embedding');
    const long = 'e'.repeat(1001);
    expect([
      apply({ version: 1, parametrizations: [entry] }),
      apply(version2({ ...entry, steps: embeddingNorm.steps })),
      apply(version2({ ...entry, frozen: ['original'] })),
      apply(version2(tieOn('decoder', long))),
      apply(version2({ ...entry, tiedTo: { path: '', tensor: long } })),
      apply(version2(tieOn('decoder', '__proto__'))),
      apply(version2({ ...entry, tiedTo: { path: 'embedding', tensor: 'constructor' } })),
    ]).toMatchInlineSnapshot(`
      [
        "CORRUPT: applyRecipe: the recipe of parametrizations has version 1, which has no tiedTo. Pass what recipeOf returns, or its JSON.",
        "CORRUPT: applyRecipe: the recipe of parametrizations has steps or frozen originals beside tiedTo. Pass what recipeOf returns, or its JSON.",
        "CORRUPT: applyRecipe: the recipe of parametrizations has steps or frozen originals beside tiedTo. Pass what recipeOf returns, or its JSON.",
        "LIMIT: applyRecipe: the recipe of parametrizations has a path with more than 1000 characters. Pass what recipeOf returns, or its JSON.",
        "LIMIT: applyRecipe: the recipe of parametrizations has a path with more than 1000 characters. Pass what recipeOf returns, or its JSON.",
        "UNKNOWN_TENSOR: applyRecipe: the model has no tensor '__proto__.weight' (nearest: 'other.weight', 'decoder.weight'). Build the model that the recipe was made of, or pass strict: false to leave these tensors out.",
        "UNKNOWN_TENSOR: applyRecipe: the model has no tensor 'embedding.constructor' (nearest: 'embedding.weight', 'decoder.weight'). Build the model that the recipe was made of, or pass strict: false to leave these tensors out.",
      ]
    `);
    model.dispose();
  });

  it('work on models of tf.layers, which are synced, also after undo', async () => {
    const build = (): tf.Sequential =>
      tf.sequential({
        layers: [
          tf.layers.dense({ units: 2, inputShape: [3], name: 'encoder' }),
          tf.layers.dense({ units: 3, name: 'decoder' }),
        ],
      });
    const [model, other] = [build(), build()];
    tie(model.getLayer('decoder'), 'kernel', model.getLayer('encoder'), 'kernel', { transpose: true });
    weightNorm(model.getLayer('encoder') as never, 'kernel');
    other.compile({ optimizer: tf.train.adam(0.1), loss: 'meanSquaredError' });
    const x = tf.randomNormal([8, 3], 0, 1, 'float32', 1);
    await other.fit(x, x, { verbose: 0 });
    const report = applyRecipe(other, JSON.stringify(recipeOf(model)), { catalog });
    expect(recipeOf(other)).toEqual(recipeOf(model));
    await other.fit(x, x, { verbose: 0 });
    expect(other.weights).toHaveLength(model.weights.length);
    report.undo();
    const decoder = other.getLayer('decoder');
    const before = tf.tidy(() => valueOf(decoder, 'kernel').arraySync());
    await other.fit(x, x, { verbose: 0 });
    expect(valueOf(decoder, 'kernel').arraySync()).not.toEqual(before);
    for (const one of [model, other]) one.dispose();
    other.optimizer.dispose();
    x.dispose();
  });

  it('join chains that no recipe can name', () => {
    const model = new Language();
    registerParametrization(model.embedding, 'weight', { forward: tf.neg, rightInverse: tf.neg });
    applyRecipe(model, version2(tieOn('decoder', 'embedding')), { catalog: {} });
    tf.tidy(() => {
      expect(model.decoder.weight).toBeAllClose(model.embedding.weight);
    });
    model.dispose();
  });
});
