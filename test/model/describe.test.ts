import * as tfAll from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs-core';
import { expect, it, describe as suite } from 'vitest';
import {
  describe,
  fold,
  nn,
  parametrizationsOn,
  recipeOf,
  registerParametrization,
  Skew,
  spectralNorm,
  weightNorm,
} from '../../src/index.ts';
import '../../src/layers/index.ts';
import { Counting } from '../parametrize/laws/specimens.ts';
import { failure } from '../parametrize/unchanged.ts';

suite('describe', () => {
  it('lists each parametrized tensor with its chain, originals and counts', () => {
    const model = new nn.Sequential(new nn.Linear(3, 3), new nn.Tanh(), new nn.Linear(3, 2));
    const [first, , last] = [...model] as [nn.Linear, nn.Module, nn.Linear];
    weightNorm(last);
    registerParametrization(first, 'weight', new Skew());
    registerParametrization(first, 'weight', (x: tf.Tensor) => tf.mul(x, 2));
    last.weight;
    last.weight;
    const before = tf.memory().numTensors;
    const { rows } = describe(model);
    expect(tf.memory().numTensors).toBe(before);
    expect(rows.map(({ path, tensor, host }) => [path, tensor, host])).toEqual([
      ['0', 'weight', 'Linear'],
      ['2', 'weight', 'Linear'],
    ]);
    expect(rows[0]!.chain).toEqual(['Skew()', 'function']);
    expect(rows[1]!.originals).toEqual([
      { name: 'original0', shape: [2, 1], trainable: true },
      { name: 'original1', shape: [2, 3], trainable: true },
    ]);
    expect(rows[1]).toMatchObject({ reads: 2, evaluations: 1, shape: [2, 3] });
    expect(String(describe(model))).toMatchInlineSnapshot(`
      "tensor    host    shape   chain              originals      parameters  bytes  reads  evaluations
      0.weight  Linear  [3, 3]  Skew() → function  [3, 3]                  9     36      0            1
      2.weight  Linear  [2, 3]  WeightNorm(dim=0)  [2, 1] [2, 3]           8     32      2            1
      2 of 4 tensors parametrized, 22 parameters, 88 bytes"
    `);
    model.dispose();
  });

  it('evaluates nothing and advances no state', () => {
    const model = new nn.Linear(2, 2);
    const map = new Counting();
    registerParametrization(model, 'weight', map);
    String(describe(model));
    expect(map.count).toBeAllClose(0);
    model.dispose();
    map.dispose();
  });

  it('says so where nothing is parametrized, and refuses what is no model', () => {
    const model = new nn.Linear(2, 2);
    expect(String(describe(model))).toBe('nothing is parametrized');
    expect(() => describe(null as never)).toThrow('describe: expected a module or an object, got null');
    model.dispose();
  });

  it('lists all paths of a shared module, the steps as data, and each variable once in the totals', () => {
    const shared = weightNorm(new nn.Linear(3, 2));
    const model = new nn.Sequential(shared, new nn.BatchNorm1d(2, { affine: false }), shared);
    const names = parametrizationsOn(shared, 'weight');
    (names['g'] as tf.Variable).trainable = false;
    const { rows, totals, unparametrized } = describe(model);
    expect(unparametrized).toEqual([]);
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({
      path: '0',
      paths: ['0', '2'],
      steps: recipeOf(model).parametrizations[0]!.steps,
      parameters: { trainable: 6, all: 8 },
      bytes: 32,
    });
    const variables = [...model.parameters(), ...model.buffers()];
    expect(totals).toEqual({
      tensors: 5,
      parametrized: 1,
      parameters: { trainable: 8, all: 10 },
      bytes: variables.reduce((sum, { size }) => sum + 4 * size, 0),
    });
    expect(String(describe(model))).toContain('0.weight = 2.weight');
    expect(String(describe(model))).toContain('1 of 5 tensors parametrized, 8/10 parameters');
    model.dispose();
  });

  it('counts the variables of chains inside of chains', () => {
    const layer = weightNorm(new nn.Linear(3, 2, { bias: false }));
    weightNorm(parametrizationsOn(layer, 'weight'), 'original1');
    const { rows, totals } = describe(layer);
    expect(rows.map(({ path, bytes, parameters }) => [path, bytes, parameters.all])).toEqual([
      ['', 40, 10],
      ['parametrizations.weight', 32, 8],
    ]);
    expect(totals).toMatchObject({ parameters: { all: 10, trainable: 10 }, bytes: 40, tensors: 1 });
    layer.dispose();
  });

  it('lists the tensors that are not parametrized, if it is asked to', () => {
    const model = new nn.Sequential(weightNorm(new nn.Linear(3, 2)), new nn.BatchNorm1d(2));
    const before = tf.memory().numTensors;
    const description = describe(model, { unparametrized: true });
    expect(tf.memory().numTensors).toBe(before);
    expect(
      description.unparametrized.map(({ path, tensor, isBuffer, bytes }) => [path, tensor, isBuffer, bytes]),
    ).toEqual([
      ['0', 'bias', false, 8],
      ['1', 'weight', false, 8],
      ['1', 'bias', false, 8],
      ['1', 'running_mean', true, 8],
      ['1', 'running_var', true, 8],
      ['1', 'num_batches_tracked', true, 4],
    ]);
    expect(description.rows.length + description.unparametrized.length).toBe(description.totals.tensors);
    expect(String(description)).toMatch(/1\.running_var +BatchNorm1d +\[2\] +buffer +8/);
    const plain = describe(model[1]!, { unparametrized: true });
    expect(String(plain)).toMatch(/^nothing is parametrized\ntensor +host/);
    model.dispose();
  });

  it('is data and a page of its own, with every text escaped', () => {
    const model = new nn.ModuleDict({ 'a<b>&"c"': weightNorm(new nn.Linear(2, 2)) });
    const description = describe(model, { unparametrized: true });
    const { rows, unparametrized, totals } = description;
    expect(JSON.parse(JSON.stringify(description))).toEqual({ rows, unparametrized, totals });
    const html = description.toHTML();
    expect(html).toContain('a&lt;b&gt;&amp;&quot;c&quot;.weight');
    expect(html).not.toContain('a<b>');
    expect(html).not.toMatch(/<script|src=|href=|url\(/);
    expect(html).toContain(String(description).split('\n').at(-1));
    model.dispose();
  });

  it('draws the norm of each output in HTML if it is asked to, and moves no state for it', async () => {
    const model = new nn.Sequential(
      spectralNorm(new nn.Linear(3, 2)),
      weightNorm(new nn.ConvTranspose1d(2, 4, 3), { dim: 1 }),
      weightNorm(new nn.Linear(4, 100)),
    );
    model.train();
    tf.tidy(() =>
      parametrizationsOn(model.children()[1]!, 'weight').g!.assign(tf.tensor([[[1], [2], [4], [0]]])),
    );
    const state = Object.entries(model.stateDict()).map(([key, value]) => [key, ...value.dataSync()]);
    const html = await describe(model).toHTML({ norms: true });
    expect(html).toContain(
      '<th style="border:1px solid #ccc;padding:2px 6px;text-align:left">norms per output</th>',
    );
    const [spectral, transposed, wide] = html.split('<svg').slice(1);
    expect(spectral!.match(/<rect/g)).toHaveLength(2);
    expect([...transposed!.matchAll(/height="(\d+)" fill/g)].map(([, height]) => height)).toEqual([
      '5',
      '10',
      '20',
      '1',
    ]);
    expect(transposed).toContain('</svg> 0.00 to 4.00');
    expect(wide!.match(/<rect/g)).toHaveLength(50);
    expect(html).not.toMatch(/<script|src=|href=|url\(/);
    const after = Object.entries(model.stateDict()).map(([key, value]) => [key, ...value.dataSync()]);
    expect(after).toEqual(state);
    const again = await describe(model).toHTML({ norms: true });
    expect(again.match(/<svg.*?<\/svg>/g)).toEqual(html.match(/<svg.*?<\/svg>/g));
    expect(() => describe(model).toHTML({ norm: true } as never)).toThrow("'norm' is not an option");
    model.dispose();
  });

  it('describes models of tf.layers', () => {
    const model = tfAll.sequential();
    model.add(tfAll.layers.dense({ units: 2, inputShape: [3], name: 'first' }));
    model.add(tfAll.layers.batchNormalization({ name: 'norm' }));
    weightNorm(model.getLayer('first'));
    const { rows, unparametrized, totals } = describe(model, { unparametrized: true });
    expect(rows.map(({ path, tensor, host }) => [path, tensor, host])).toEqual([
      ['first', 'kernel', 'Dense'],
    ]);
    expect(unparametrized.map(({ path, tensor, isBuffer }) => [path, tensor, isBuffer])).toEqual([
      ['first', 'bias', false],
      ['norm', 'gamma', false],
      ['norm', 'beta', false],
      ['norm', 'movingMean', true],
      ['norm', 'movingVariance', true],
    ]);
    expect(totals.parameters).toEqual({ trainable: 14, all: 14 });
    fold(model);
    model.dispose();
  });

  it('refuses options that are none', () => {
    const model = new nn.Linear(2, 2);
    expect(failure(() => describe(model, { unparametrised: true } as never), model)).toMatch(
      "OPTION: describe: 'unparametrised' is not an option. Did you mean 'unparametrized'?",
    );
    expect(failure(() => describe(model, { unparametrized: 1 as never }), model)).toMatch('OPTION');
    model.dispose();
  });
});
