import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { catalog, nn, parametrize, type Rule, recipeOf, weightNorm } from 'tfjs-parametrize';
import {
  loadCheckpoint,
  readSafetensors,
  saveCheckpoint,
  writeSafetensors,
} from 'tfjs-parametrize/checkpoint';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { call } from './call.ts';

const folder = mkdtempSync(join(tmpdir(), 'apply-rules-'));
const [input, rulesPath, output] = ['in.safetensors', 'rules.json', 'out.safetensors'].map((name) =>
  join(folder, name),
) as [string, string, string];

afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(() => rmSync(output, { force: true }));

class Generator extends nn.Module {
  conv_pre = new nn.Conv1d(2, 3, 3);
  ups = new nn.ModuleList([new nn.ConvTranspose1d(3, 2, 2), new nn.ConvTranspose1d(2, 2, 2)]);
  rnn = new nn.LSTM(2, 2);
  conv_post = new nn.Linear(2, 1);

  override forward(x: tf.Tensor): tf.Tensor {
    return x;
  }
}

const applied = async (rules: unknown, ...args: string[]) => {
  writeFileSync(rulesPath, typeof rules === 'string' ? rules : JSON.stringify(rules));
  return call('apply', rulesPath, input, '-o', output, ...args);
};

const fileAt = (path: string) => {
  const { metadata, tensors } = readSafetensors(new Uint8Array(readFileSync(path)));
  tf.dispose(tensors);
  return { names: Object.keys(tensors).sort(), metadata };
};

/** Rules whose meaning does not depend on classes. */
const sets: Record<string, Rule[]> = {
  'the main weight of all hosts': [{ match: ['conv*', 'ups.**'], apply: 'weightNorm' }],
  'tensors by a glob of their paths': [
    { match: '**.weight_?h_l0', apply: 'weightNorm', options: { dim: 1 } },
  ],
  names: [{ match: 'rnn', name: ['weight_ih_l0', 'weight_hh_l0'], apply: 'weightNorm' }],
  'closed tensors, exclusions and an optional rule': [
    { match: 'conv_pre', apply: null },
    { match: '**', exclude: ['ups.1', 'rnn'], apply: 'weightNorm', options: { dim: null } },
    { match: 'ups.{1..1}', apply: 'spectralNorm', options: { dim: 0 } },
    { match: 'nothing', apply: 'weightNorm', optional: true },
  ],
  'chains in the order of the rules': [
    { match: 'conv_post', apply: 'weightNorm' },
    { match: 'conv_post', apply: 'maxNorm', options: { maxValue: 3, axis: 0 } },
  ],
};

describe('apply with rules', () => {
  it.each(Object.entries(sets))('registers what parametrize does: %s', async (_, rules) => {
    const model = new Generator();
    await saveCheckpoint(model, input);
    const report = await applied(rules);
    parametrize(model, rules, { catalog });
    expect(report).toMatchObject({ code: 0, error: '' });
    const { names, metadata } = fileAt(output);
    expect(names).toEqual(Object.keys(model.stateDict()).sort());
    const entries = (recipe: ReturnType<typeof recipeOf>) =>
      [...recipe.parametrizations].sort((a, b) => (a.path + a.tensor < b.path + b.tensor ? -1 : 1));
    expect(entries(JSON.parse(metadata['tfjs-parametrize']!))).toEqual(entries(recipeOf(model)));
    await loadCheckpoint(model, output);
    model.dispose();
  });

  it('says what it leaves as it is, as lines and as JSON', async () => {
    const model = new Generator();
    weightNorm(model.conv_post);
    await saveCheckpoint(model, input);
    model.dispose();
    const rules: Rule[] = [
      { match: 'ups.0', apply: null },
      { match: ['ups.*', 'conv_post'], apply: 'weightNorm', options: { dim: 0 } },
    ];
    expect((await applied(rules)).out.replace(folder, '')).toMatchInlineSnapshot(`
      "parametrized 1 tensor
      unchanged: conv_post.weight
      skipped: ups.0.weight, rule 1 leaves it as it is
      /out.safetensors: 14 tensors"
    `);
    expect(JSON.parse((await applied(rules, '--json')).out)).toMatchObject({
      parametrized: 1,
      unchanged: ['conv_post.weight'],
      skipped: [{ name: 'ups.0.weight', kind: 'weightNorm', reason: 'rule 1 leaves it as it is' }],
    });
    const again = await call('apply', rulesPath, output, '-o', input);
    expect(again.out).toContain('parametrized 0 tensors');
    expect(fileAt(input)).toEqual(fileAt(output));
  });

  it('knows a weight norm of torch by the names and shapes of its parts', async () => {
    const layer = weightNorm(new nn.Linear(2, 3));
    await saveCheckpoint(layer, input, { keyFormat: 'legacy' });
    const { tensors } = readSafetensors(new Uint8Array(readFileSync(input)));
    writeFileSync(input, await writeSafetensors(tensors));
    tf.dispose(tensors);
    layer.dispose();
    const unchanged = { code: 0, out: expect.stringContaining('unchanged: weight') };
    expect(await applied([{ apply: 'weightNorm', options: { dim: -2 } }])).toMatchObject(unchanged);
    const other = [{ apply: 'weightNorm', options: { dim: 1 } }];
    expect((await applied(other)).error).toContain("rule 1: 'weight' has a weightNorm with other options");
    const kept = other.map((rule) => ({ ...rule, onConflict: 'keep' }));
    expect(await applied(kept)).toMatchObject(unchanged);
  });

  it('is refused where parametrize would be, and for classes, and writes nothing', async () => {
    const model = new Generator();
    weightNorm(model.conv_post);
    await saveCheckpoint(model, input);
    model.dispose();
    const refusals: string[] = [];
    for (const rules of [
      [
        { match: 'conv_pro', apply: 'weightNorm' },
        { match: 'ups.*', name: 'kernel', apply: 'weightNorm' },
      ],
      [{ match: 'rnn', apply: 'weightNorm' }],
      [{ match: 'ups.0', exclude: 'ups.*', apply: 'weightNorm' }],
      [{ type: 'Conv1d', apply: 'weightNorm' }],
      [{ match: 'ups.[0]', apply: 'weightNorm' }],
      [{ match: { source: 'ups' }, apply: 'weightNorm' }],
      [{ match: 'ups.*', apply: 'weigthNorm' }],
      [{ match: 'ups.*', apply: 'weightNorm', options: { dims: 1 } }],
      [{ match: 'ups.*', apply: 'weightNorm', options: { dim: 7 } }],
      [{ match: 'ups.*', aply: 'weightNorm' }],
      [3],
      [
        { match: 'ups.*', apply: 'weightNorm' },
        { match: '**.weight', exclude: 'conv_post', apply: 'weightNorm' },
      ],
      [{ match: 'conv_post', apply: 'unitNorm' }],
      [{ match: 'conv_post', apply: 'weightNorm', options: { dim: 1 } }],
      [{ match: 'conv_post', apply: 'weightNorm', options: { dim: 1 }, onConflict: 'replace' }],
      '[{',
    ]) {
      const { code, error } = await applied(rules);
      refusals.push(
        `${code} ${error.replace(/the catalog has no (.*); it has .*?\./, 'the catalog has no $1; it has …')}`,
      );
      expect(existsSync(output)).toBe(false);
    }
    expect(refusals).toMatchInlineSnapshot(`
      [
        "1 error: rule 1: 'conv_pro' matches nothing; nearest: 'conv_pre', 'conv_post', 'conv_pre.bias'; rule 2: 'ups.*' matches module 'ups.0', module 'ups.1' with no 'kernel'; name some of bias, weight. Correct the rule, or pass optional: true for one that may match nothing. [UNMATCHED_RULE]",
        "1 error: rule 1: 'rnn' matches module 'rnn' with no main weight; name some of bias_hh_l0, bias_ih_l0, weight_hh_l0, weight_ih_l0. Correct the rule, or pass optional: true for one that may match nothing. [UNMATCHED_RULE]",
        "1 error: rule 1: 'ups.0' matches module 'ups.0', excluded by 'ups.*'. Correct the rule, or pass optional: true for one that may match nothing. [UNMATCHED_RULE]",
        "1 error: rule 1 has the type "Conv1d", and a file does not tell the classes of its modules. Select by match, exclude and name; or call parametrize on the model, and save that with saveCheckpoint. [UNSUPPORTED]",
        "1 error: rule 1: the pattern 'ups.[0]' has a '[', which means nothing in a glob. Pass a RegExp for more. [PATTERN]",
        "1 error: rule 1: a pattern is Object. Pass a glob, a RegExp or a function of (host, path, candidate). [PATTERN]",
        "1 error: rule 1: the catalog has no 'weigthNorm'; it has … Did you mean 'weightNorm'? [UNKNOWN_RECIPE]",
        "2 error: rule 1: 'dims' is not an option. Did you mean 'dim'? It has: dim, eps, scale. [OPTION]",
        "2 error: the recipe of 'ups.0.weight' does not fit it: weightNorm: dim 7 is out of range for shape [3, 2, 2]: expected an axis from -3 to 2, or null. [OPTION]",
        "2 error: rule 1: 'aply' is not an option. Did you mean 'apply'? It has: match, type, exclude, name, apply, options, optional, onConflict. [OPTION]",
        "2 error: rule 1: the options are 3, they must be an object with the keys match, type, exclude, name, apply, options, optional, onConflict. [OPTION]",
        "1 error: rules 1 and 2 both register weightNorm on 'ups.0.weight'; rules 1 and 2 both register weightNorm on 'ups.1.weight'. Leave the tensor out of one of the rules by exclude. [CONFLICT]",
        "1 error: rule 1: the tensor 'conv_post.weight' of the file is parametrized already. Fold the file first, or leave the tensor out by exclude. [CONFLICT]",
        "1 error: rule 1: 'conv_post.weight' has a weightNorm with other options. Pass onConflict: 'keep', fold the file first, or leave the tensor out by exclude. [CONFLICT]",
        "1 error: rule 1: the tensor 'conv_post.weight' of the file is parametrized already. Fold the file first, or leave the tensor out by exclude. [CONFLICT]",
        "1 error: the rules are not JSON. Rules are an array, [{ "match": "**", "apply": "weightNorm" }]. [CORRUPT]",
      ]
    `);
  });
});
