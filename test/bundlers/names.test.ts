import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import { build } from 'esbuild';
import * as source from 'tfjs-parametrize';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root } from '../markdown.ts';

// Reports, errors and recipes name classes; a minifier may not change what they say.

type Class = abstract new (...args: never[]) => object;
type Package = typeof source;

const isClass = (value: unknown): value is Class =>
  typeof value === 'function' && /^class\b/.test(Function.prototype.toString.call(value));

const classesIn = (exports: object): [name: string, type: Class][] =>
  Object.entries(exports).filter((entry): entry is [string, Class] => isClass(entry[1]));

describe('the minified package', () => {
  let folder: string;
  let minified: Package;

  beforeAll(async () => {
    const cache = join(root, '.cache');
    mkdirSync(cache, { recursive: true });
    folder = mkdtempSync(join(cache, 'minified-'));
    const entry = join(folder, 'entry.ts');
    writeFileSync(entry, "export * from '../../src/index.ts';");
    const outfile = join(folder, 'minified.mjs');
    await build({
      entryPoints: [entry],
      outfile,
      bundle: true,
      minify: true,
      keepNames: false,
      format: 'esm',
      target: 'es2022',
      external: ['@tensorflow/*'],
    });
    minified = (await import(/* @vite-ignore */ pathToFileURL(outfile).href)) as Package;
  }, 120_000);

  afterAll(() => rmSync(folder, { recursive: true }));

  it('names every class that can have objects as the package does', () => {
    const isBase = (name: string): boolean =>
      ['Module', 'ModuleSequence', 'Parametrization', 'ParametrizeError', 'StateDictError'].includes(name);
    const names = [...classesIn(minified), ...classesIn(minified.nn)].filter(([name]) => !isBase(name));
    expect(names.length).toBeGreaterThan(70);
    expect(names.filter(([name, type]) => type.name !== name).map(([name]) => name)).toEqual([]);
  });

  it('describes, prints, refuses and writes down as the package does', () => {
    expect(reportOf(minified)).toEqual(reportOf(source));
  });

  it('names the functions of the catalog, as decorators print them', () => {
    const functions = [
      'maxNorm',
      'minMaxNorm',
      'nonNeg',
      'orthogonal',
      'skew',
      'spectralNorm',
      'symmetric',
      'unitNorm',
      'weightNorm',
    ] as const;
    for (const { catalog } of [{ catalog: source }, { catalog: minified }]) {
      expect(functions.map((name) => catalog[name].name)).toEqual(functions);
    }
  });

  it('writes the kinds of the catalog into recipes', () => {
    const layer = minified.weightNorm(new minified.nn.Linear(2, 2));
    minified.symmetric(layer);
    const { parametrizations } = minified.recipeOf(layer);
    const kinds = parametrizations.flatMap(({ steps }) => steps.map(({ kind }) => kind));
    expect(kinds).toEqual(['weightNorm', 'symmetric']);
    layer.dispose();
  });
});

/** What the package says of a model with every map, in a table, as torch prints it, and in errors. */
function reportOf(P: typeof source): string[] {
  const { nn } = P;
  const functions = [
    'maxNorm',
    'minMaxNorm',
    'nonNeg',
    'orthogonal',
    'skew',
    'spectralNorm',
    'symmetric',
  ] as const;
  const model = new nn.Sequential(
    ...functions.map((name) => (P[name] as typeof P.symmetric)(new nn.Linear(2, 2))),
    P.unitNorm(P.weightNorm(new nn.Conv1d(1, 2, 2))),
    new nn.ModuleList([new nn.ReLU6(), new nn.Softmax(1)]),
  );
  const refused = (work: () => unknown): string => {
    try {
      work();
    } catch (error) {
      return `${(error as Error).name}: ${(error as Error).message}`;
    }
    return 'nothing';
  };
  const report = [
    String(model),
    String(P.describe(model)),
    refused(() => P.weightNorm(model[0] as never, 'wieght')),
    refused(() => model.loadStateDict({})),
    refused(() => tf.tidy(() => model.call(tf.zeros([2, 3])))),
  ];
  model.dispose();
  return report;
}
