import { beforeAll, describe, expect, it } from 'vitest';
import { type AnyClass, parametrizationsOf } from '../../src/decorators/index.ts';
import { nn, symmetric, weightNorm } from '../../src/index.ts';
import { earlyMode, legacyModes, load, standardModes } from './modes.ts';

type Classes = typeof import('./programs/classes.ts');
type Accessors = typeof import('./programs/accessors.ts');
type Ruled = typeof import('./programs/rules.ts');

const fieldsOf = (type: AnyClass) => parametrizationsOf(type).filter((declared) => declared.field !== null);

describe.each([...standardModes, ...legacyModes, earlyMode])('$name: parametrizationsOf', (mode) => {
  let classes: Classes;
  beforeAll(async () => {
    classes = await load(mode, 'classes');
  });

  it('lists what a class declares, in order, without making an object', () => {
    const [weight, inner, outer, ...others] = fieldsOf(classes.Layer);
    expect(others).toEqual([]);
    expect(weight).toMatchObject({ field: 'weight', apply: weightNorm, options: { dim: 0 } });
    expect(weight!.declaredIn).toBe(classes.Layer);
    expect([inner!.field, outer!.field]).toEqual(['stacked', 'stacked']);
    expect(inner!.apply.name).toBe('addOne');
    expect(String(weight)).toBe('@parametrized(weightNorm, {"dim":0}) weight');
    expect(String(outer)).toBe('@parametrized(() => new Double(…)) stacked');
  });

  it('names the tensors of modules', () => {
    expect(fieldsOf(classes.Parts).map(({ field, tensor }) => [field, tensor])).toEqual([
      ['linear', undefined],
      ['rnn', 'weight_hh_l0'],
      ['list', undefined],
      ['two', 'weight'],
      ['two', 'bias'],
    ]);
    expect(String(parametrizationsOf(classes.Parts)[1])).toBe(
      '@parametrized(weightNorm, {"dim":null,"name":"weight_hh_l0"}) rnn',
    );
  });

  it('puts first what a class inherits, and tells the classes apart', () => {
    for (const type of [classes.Sub, classes.Heir]) {
      const declared = parametrizationsOf(type);
      expect(declared.map(({ field }) => field)).toEqual(['weight', 'stacked', 'stacked', 'metric']);
      expect(declared.map(({ declaredIn }) => declaredIn)).toEqual([
        classes.Layer,
        classes.Layer,
        classes.Layer,
        classes.Sub,
      ]);
      expect(declared[3]!.apply).toBe(symmetric);
    }
    expect(parametrizationsOf(classes.Layer)).toHaveLength(3);
    expect(parametrizationsOf(nn.Linear)).toEqual([]);
  });

  it('lists rules after fields, those of parents first', async () => {
    const { Vocoder, Wide } = await load<Ruled>(mode, 'rules');
    expect(parametrizationsOf(Wide).map(({ declaredIn }) => declaredIn)).toEqual([
      Vocoder,
      Vocoder,
      Vocoder,
      Vocoder,
      Wide,
    ]);
    expect(parametrizationsOf(Wide).map(String)).toMatchInlineSnapshot(`
      [
        "@parametrized(symmetric) mix",
        "@parametrizedModule {match: 'pre', apply: null}",
        "@parametrizedModule {type: ConvTranspose1d, apply: weightNorm, options: {dim: 1}}",
        "@parametrizedModule {type: Conv1d, exclude: /^post$/, apply: weightNorm, options: {dim: 0}}",
        "@parametrizedModule {type: 'Linear', apply: 'unitNorm', options: {axis: 1}}",
      ]
    `);
    const [, first] = parametrizationsOf(Vocoder);
    expect(first).toMatchObject({ field: null, apply: null, rule: { match: 'pre' } });
    (first!.rule as { match: string }).match = 'post';
    expect(parametrizationsOf(Vocoder)[1]!.rule).toMatchObject({ match: 'pre' });
  });

  it('gives a copy', () => {
    const declared = fieldsOf(classes.Layer);
    (declared[0]!.options as { dim: number }).dim = 1;
    declared.length = 0;
    expect(fieldsOf(classes.Layer)[0]!.options).toEqual({ dim: 0 });
  });
});

describe.each(standardModes)('$name: parametrizationsOf', (mode) => {
  it('lists accessor fields', async () => {
    const { Accessors } = await load<Accessors>(mode, 'accessors');
    expect(fieldsOf(Accessors).map(({ field, apply }) => `${field} ${apply.name}`)).toEqual([
      'weight weightNorm',
      'weight symmetric',
      'linear weightNorm',
      'later weightNorm',
    ]);
  });
});

describe('parametrizationsOf', () => {
  it('keeps the options as they were when the class was made', async () => {
    const { declareField } = await import('../../src/decorators/declaredFields.ts');
    const { makeDeclaration } = await import('../../src/decorators/declaration.ts');
    class Net extends nn.Module {
      override forward(): void {}
    }
    const options = { dim: [0, 1] };
    declareField(Net.prototype, 'weight', 'legacy', makeDeclaration('legacy', weightNorm, options));
    options.dim.push(2);
    expect(fieldsOf(Net)[0]!.options).toEqual({ dim: [0, 1] });
  });

  it('refuses what is no class', () => {
    expect(() => parametrizationsOf(new nn.ReLU() as never)).toThrow(
      'parametrizationsOf: expected a class, got ReLU. Pass the class of an object: object.constructor.',
    );
    expect(() => parametrizationsOf((() => 0) as never)).toThrow('expected a class, got a function');
  });
});
