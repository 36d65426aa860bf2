import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import {
  insertParametrization,
  isParametrized,
  nn,
  parametrizationsOn,
  pure,
  registerParametrization,
  removeParametrization,
  removeParametrizations,
  reorderParametrizations,
  replaceParametrization,
  SpectralNorm,
  spectralNorm,
  WeightNorm,
  weightNorm,
} from '../../../../src/index.ts';
import { syncModel } from '../../../../src/layers/index.ts';
import { AddOne, Affine, Double, inTidy, read, Scaled, SkewPart, variableOf } from '../../fixtures.ts';
import { failure } from '../../unchanged.ts';

const keysOf = (host: Affine): string[] =>
  Object.keys(host.stateDict()).filter((key) => key.startsWith('parametrizations'));
const prefixed = (...keys: string[]): string[] => keys.map((key) => `parametrizations.weight.${key}`);

/** Expects the value of a host to be a map of an earlier value. */
const expectValue = (host: Affine, before: unknown, map: (x: tf.Tensor) => tf.Tensor = tf.clone): void =>
  inTidy(() => void expect(host.weight).toBeAllClose(map(tf.tensor(before as number[][]))));

describe('insertParametrization', () => {
  it('keeps the value at the start, and maps it at any later place', () => {
    const host = new Affine();
    registerParametrization(host, 'weight', new Double());
    const own = parametrizationsOn(host, 'weight').original!;
    const before = read(host);
    expect(insertParametrization(host, 'weight', new WeightNorm({ dim: 0 }), { before: Double })).toBe(host);
    expectValue(host, before);
    expect(keysOf(host)).toEqual(prefixed('original0', 'original1'));
    expect(parametrizationsOn(host, 'weight').original1).toBe(own);
    const scaled = new Scaled();
    insertParametrization(host, 'weight', scaled, { after: 'weightNorm' });
    expectValue(host, before, (x) => tf.mul(x, 3));
    insertParametrization(host, 'weight', (x) => tf.neg(x), { after: -1 });
    insertParametrization(host, 'weight', new AddOne(), { at: 4 });
    expectValue(host, before, (x) => tf.sub(1, tf.mul(x, 3)));
    expect(keysOf(host)).toEqual(prefixed('original0', 'original1', '1.scale', '1.count'));
    expect([...parametrizationsOn(host, 'weight')].indexOf(scaled)).toBe(1);
    host.dispose();
  });

  it('may change the shape if it is unsafe, and tries the later steps', () => {
    const host = new Affine();
    registerParametrization(host, 'weight', new AddOne());
    registerParametrization(host, 'weight', (x) => tf.reshape(x, [9]), { unsafe: true });
    const flat = (x: tf.Tensor): tf.Tensor => tf.reshape(x, [1, 9]);
    const list = parametrizationsOn(host, 'weight');
    expect(failure(() => insertParametrization(host, 'weight', flat, { at: 1 }), host, list)).toMatch(
      'SHAPE: insertParametrization: the value of forward has shape [1, 9], expected [3, 3]',
    );
    insertParametrization(host, 'weight', flat, { at: 1, unsafe: true });
    insertParametrization(host, 'weight', flat, { at: 3, unsafe: true });
    expect(list.shape).toEqual([1, 9]);
    host.dispose();
  });
});

describe('removeParametrization', () => {
  it('keeps the value, or the originals, and disposes only what a catalog function made', () => {
    for (const keep of ['value', 'originals'] as const) {
      const host = new Affine();
      const own = variableOf(host);
      spectralNorm(host);
      const map = new Scaled();
      registerParametrization(host, 'weight', map);
      const [norm] = parametrizationsOn(host, 'weight') as Iterable<SpectralNorm>;
      const before = read(host);
      const original = inTidy(() => own.arraySync());
      removeParametrization(host, 'weight', SpectralNorm, { keep });
      if (keep === 'value') expectValue(host, before);
      else expectValue(host, original, (x) => tf.mul(x, 3));
      expect(parametrizationsOn(host, 'weight').original).toBe(own);
      expect(keysOf(host)).toEqual(prefixed('original', '0.scale', '0.count'));
      expect(norm!.buffers().every(({ isDisposed }) => isDisposed)).toBe(true);
      const scaled = read(host);
      removeParametrization(host, 'weight', map, { keep });
      expect(isParametrized(host)).toBe(false);
      expectValue(host, scaled, keep === 'value' ? tf.clone : (x) => tf.div(x, 3));
      expect(variableOf(host)).toBe(own);
      expect(map.parameters().some(({ isDisposed }) => isDisposed)).toBe(false);
      map.dispose();
      host.dispose();
    }
  });

  it('makes one original of several, and gives the value of a later step back through the earlier ones', () => {
    const host = new Affine();
    weightNorm(host, { dim: 0 });
    registerParametrization(host, 'weight', new Double());
    registerParametrization(host, 'weight', new AddOne());
    const list = parametrizationsOn(host, 'weight');
    const [own, before] = [list.original1!, read(host)];
    removeParametrization(host, 'weight', Double);
    expectValue(host, before);
    expect(
      failure(() => removeParametrization(host, 'weight', 0, { keep: 'originals' }), host, list),
    ).toMatchInlineSnapshot(
      `"OPTION: removeParametrization: Affine.weight has 2 originals, which only WeightNorm can take. Drop keep: 'originals'."`,
    );
    removeParametrization(host, 'weight', 'weightNorm');
    expectValue(host, before);
    expect([parametrizationsOn(host, 'weight'), list.original]).toEqual([list, own]);
    expect(keysOf(host)).toEqual(prefixed('original'));
    host.dispose();
  });

  it('says that an earlier step has no right inverse, and what helps', () => {
    const host = new Affine();
    registerParametrization(host, 'weight', new SkewPart());
    registerParametrization(host, 'weight', new Double());
    const list = parametrizationsOn(host, 'weight');
    expect(failure(() => removeParametrization(host, 'weight', 1), host, list)).toMatchInlineSnapshot(
      `"RIGHT_INVERSE: removeParametrization: SkewPart has no rightInverse. Add one, or keep the originals: { keep: 'originals' }."`,
    );
    removeParametrization(host, 'weight', 1, { keep: 'originals' });
    expect(list.length).toBe(1);
    host.dispose();
  });

  it('edits the chain of an original', () => {
    const host = weightNorm(new Affine(), { dim: 0 });
    const list = parametrizationsOn(host, 'weight');
    registerParametrization(list, 'original0', new Double());
    insertParametrization(list, 'original0', new AddOne(), { at: 1 });
    const before = read(host);
    removeParametrization(list, 'original0', 0);
    removeParametrization(list, 'original0', 0);
    expectValue(host, before);
    expect(keysOf(host)).toEqual(prefixed('original0', 'original1'));
    host.dispose();
  });
});

describe('replaceParametrization and reorderParametrizations', () => {
  it('keep the value, or the originals', () => {
    const host = new Affine();
    const own = variableOf(host);
    registerParametrization(host, 'weight', new Double());
    registerParametrization(host, 'weight', new AddOne());
    const before = read(host);
    replaceParametrization(host, 'weight', Double, new WeightNorm({ dim: 1 }));
    expectValue(host, before);
    expect(keysOf(host)).toEqual(prefixed('original0', 'original1'));
    replaceParametrization(host, 'weight', 0, new Double());
    expectValue(host, before);
    replaceParametrization(host, 'weight', AddOne, pure(tf.neg), { keep: 'originals' });
    expectValue(host, before, (x) => tf.sub(1, x));
    replaceParametrization(host, 'weight', -1, new AddOne(), { keep: 'originals' });
    reorderParametrizations(host, 'weight', [AddOne, 0]);
    expectValue(host, before);
    reorderParametrizations(host, 'weight', [-1, 0], { keep: 'originals' });
    // 2(x + 1) = before, and 2x + 1 is one less.
    expectValue(host, before, (x) => tf.sub(x, 1));
    expect(parametrizationsOn(host, 'weight').original).toBe(own);
    host.dispose();
  });

  it.each<[number | null | number[], number | null | number[]]>([
    [0, 1],
    [1, 0],
    [0, null],
    [null, 1],
    [0, [0, 1]],
    [[0, 1], 1],
  ])('refuse to read the g of dim %j by a weight norm of dim %j, also of a square', (from, to) => {
    const host = { weight: nn.parameter(tf.tensor2d([0.5, -2, 1, 3, 0.25, -1, 4, 2, 1], [3, 3])) };
    weightNorm(host, 'weight', { dim: from });
    const map = new WeightNorm({ dim: to });
    const replace = () => replaceParametrization(host, 'weight', 0, map, { keep: 'originals' });
    expect(failure(replace, host)).toMatch(/^SHAPE: .*g has shape \[.*\], expected \[.*\] for v \[3, 3\]/);
    const same = new WeightNorm({ dim: from, eps: 1 });
    replaceParametrization(host, 'weight', 0, same, { keep: 'originals' });
    expect(parametrizationsOn(host, 'weight')[0]).toBe(same);
    removeParametrizations(host, 'weight');
    tf.dispose(host.weight);
    for (const one of [map, same]) one.dispose();
  });
});

describe('an edit of the weight of a layer', () => {
  it('is trained by fit after syncModel', async () => {
    const layer = tf.layers.dense({ units: 3, inputShape: [3], useBias: false });
    const model = tf.sequential({ layers: [layer] });
    model.compile({ optimizer: tf.train.adam(0.1), loss: 'meanSquaredError' });
    weightNorm(layer);
    registerParametrization(layer, 'kernel', new Double());
    const [x, y] = [tf.eye(3), tf.ones([3, 3])];
    const options = { epochs: 1, verbose: 0, shuffle: false } as const;
    syncModel(model);
    await model.fit(x, y, options);
    const value = () => tf.tidy(() => (model.predict(x) as tf.Tensor).arraySync());
    const before = value();
    insertParametrization(layer, 'kernel', new AddOne(), { at: 1 });
    removeParametrization(layer, 'kernel', AddOne);
    removeParametrization(layer, 'kernel', 'weightNorm');
    tf.tidy(() => {
      expect(tf.tensor(value() as number[][])).toBeAllClose(tf.add(tf.tensor(before as number[][]), 2));
    });
    syncModel(model);
    const original = parametrizationsOn(layer, 'kernel').original!;
    expect(model.trainableWeights.map((weight) => weight.read())).toEqual([original]);
    const edited = value();
    await model.fit(x, y, options);
    expect(value()).not.toEqual(edited);
    removeParametrization(layer, 'kernel', 0);
    syncModel(model);
    await model.fit(x, y, options);
    model.optimizer.dispose();
    model.dispose();
    tf.dispose([x, y]);
  });
});
