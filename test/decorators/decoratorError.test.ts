import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { DecoratorError } from '../../src/decorators/index.ts';
import {
  describe as describeModel,
  isParametrized,
  type nn,
  parametrizationsOn,
  registerParametrization,
  valueOf,
} from '../../src/index.ts';
import { byOxc } from './compilers.ts';
import { bypassedModes, earlyMode, legacyModes, load, type Mode, standardModes } from './modes.ts';

type Classes = typeof import('./programs/classes.ts');
type Accessors = typeof import('./programs/accessors.ts');

/** The error that a function throws. */
function errorOf(fn: () => unknown): DecoratorError {
  try {
    fn();
  } catch (error) {
    expect(error).toBeInstanceOf(DecoratorError);
    return error as DecoratorError;
  }
  throw new Error('nothing was thrown');
}

// What a constructor has made before it throws belongs to nobody; a program that goes on after it has to know.
let before: Set<string>;
const variables = (): string[] => Object.keys(tf.engine().registeredVariables);
beforeAll(() => {
  before = new Set(variables());
});
afterEach(() => {
  for (const name of variables()) {
    if (!before.has(name)) tf.engine().registeredVariables[name]!.dispose();
  }
});

/** With fields assigned, oxc leaves out the decorators of these; a test below shows it. */
const dropsDecorator = ({ name, assigns }: Mode, mistake: string): boolean =>
  assigns && name.includes('oxc') && ['staticField', 'symbolField'].includes(mistake);

const kindOf = ({ name }: Mode): string => name.split(',')[0]!;

describe.each([...standardModes, ...legacyModes])('$name:', (mode) => {
  let mistakes: Classes['mistakes'];
  beforeAll(async () => {
    ({ mistakes } = await load<Classes>(mode, 'classes'));
  });

  it.each([
    ['method', /cannot decorate (a method|the method or accessor weight of Wrong)/],
    ['getter', /cannot decorate (a getter|the method or accessor weight of Wrong)/],
    ['staticField', /cannot decorate the static (field|member) weight/],
    ['wholeClass', /cannot decorate a class/],
    ['symbolField', /cannot decorate the (symbol field|member) Symbol\(weight\)/],
    ['noTensor', /Wrong\.weight holds string, which is neither a tensor nor a module/],
    ['nameOnTensor', /Wrong\.weight holds a tensor, but \{ name: 'weight' \} names one of a module/],
    ['instance', /got Object, which every object of the class would share\. Pass a factory/],
    ['notAFactory', /has registered nothing on Wrong\.weight\. A map goes in a factory/],
    ['sameAgain', /the factory on Wrong\.weight has returned the same Double again/],
  ] as const)('%s is refused', (name, message) => {
    if (dropsDecorator(mode, name)) return;
    const error = errorOf(mistakes[name]);
    expect(error).toMatchObject({ code: 'DECORATOR', mode: kindOf(mode) });
    expect(error.message).toMatch(message);
  });

  it('a field that is decorated in a class and in its parent is refused', () => {
    // Where the class is made; by swc, which does not hand the parent's metadata down, where the first object is.
    const { message, mode: named } = errorOf(mistakes.decoratedInBoth);
    expect(named).toBe(kindOf(mode));
    expect(message).toContain(
      `'weight' is decorated in a class and in its parent class (${named} decorators)`,
    );
    expect(message).toContain('drop the field there');
  });

  // Where fields are defined, the first use of the object is the first occasion to see it.
  it.each([
    ['a tensor', 'redeclaredTensor', 'Layer.weight'],
    ['a module', 'redeclaredModule', 'Parts.linear'],
  ] as const)('a subclass that redeclares a decorated field with %s is refused', (_, name, field) => {
    for (const use of [
      (module: nn.Module) => module.call(null),
      (module: nn.Module) => module.parameters(),
      (module: nn.Module) => module.stateDict(),
      (module: nn.Module) => describeModel(module),
    ]) {
      const error = errorOf(() => use(mistakes[name]()));
      expect(error.mode).toBe(kindOf(mode));
      expect(error.message).toContain(`Redeclaring redeclares the field ${field}, which is decorated`);
      expect(error.message).toContain('Drop the field in Redeclaring');
    }
  });
});

describe.each(standardModes)('$name:', (mode) => {
  it('the mistakes with accessors are refused', async () => {
    const { mistakes } = await load<Accessors>(mode, 'accessors');
    expect(errorOf(mistakes.decoratedInBoth).message).toContain(
      "'weight' is decorated in a class and in its parent",
    );
    expect(errorOf(mistakes.redeclared).message).toContain(
      'Redeclaring redeclares the field Accessors.weight, which is decorated',
    );
    expect(errorOf(mistakes.privateField).message).toContain('cannot decorate the private field #weight');
  });
});

describe.each(bypassedModes)('$name, without the class decorator:', (mode) => {
  let classes: Classes;
  beforeAll(async () => {
    classes = await load(mode, 'classes');
  });

  it.each([
    ['call', (module: nn.Module) => module.call(null)],
    ['parameters', (module: nn.Module) => module.parameters()],
    ['stateDict', (module: nn.Module) => module.stateDict()],
    ['loadStateDict', (module: nn.Module) => module.loadStateDict({})],
    ['train', (module: nn.Module) => module.train()],
    ['describe', (module: nn.Module) => describeModel(module)],
    ['isParametrized', (module: nn.Module) => isParametrized(module, 'weight')],
    ['parametrizationsOn', (module: nn.Module) => parametrizationsOn(module, 'weight')],
  ])('%s names the mode and the remedies', (_, use) => {
    for (const [make, field] of [
      [() => new classes.Layer(), 'Layer.weight'],
      [() => new classes.Parts(), 'Parts.linear'],
    ] as const) {
      const error = errorOf(() => use(make()));
      expect(error.mode).toBe('legacy');
      expect(error.message).toContain(
        `${field} is not parametrized: with experimentalDecorators and useDefine`,
      );
      expect(error.message).toContain(`Add @parametrizedModule to class ${field.split('.')[0]}`);
    }
  });

  it('a module above it is refused too', () => {
    expect(errorOf(() => new classes.Outer().parameters()).message).toContain(
      'Layer.weight is not parametrized',
    );
  });

  it('of an object that is no module, every function of the package says so', () => {
    const plain = new classes.Plain();
    for (const use of [
      () => describeModel(plain),
      () => isParametrized(plain),
      () => valueOf(plain, 'kernel'),
      () => registerParametrization(plain, 'kernel', (x) => x),
    ]) {
      expect(errorOf(use).message).toContain('Plain.kernel is not parametrized');
    }
  });
});

describe('legacy, defined: a subclass', () => {
  it('needs the class decorator for the fields that it decorates itself', async () => {
    const { compile } = legacyModes.find(({ name }) => name === 'legacy, defined, class decorator, tsc')!;
    const forgetful: Mode = {
      name: 'forgetful',
      compile: (program) => compile(program.replace(/@parametrizedModule\n(?=export class Sub)/, '')),
      assigns: false,
      classDecorator: true,
    };
    const { Sub } = await load<Classes>(forgetful, 'classes');
    expect(errorOf(() => new Sub().parameters()).message).toContain('Sub.metric is not parametrized');
  });
});

describe('early proposals', () => {
  it('are refused when an object is made, with the setting that helps', async () => {
    const { Layer } = await load<Classes>(earlyMode, 'classes');
    const { Accessors } = await load<Accessors>(earlyMode, 'accessors');
    for (const make of [() => new Layer(), () => new Accessors()]) {
      const error = errorOf(make);
      expect(error.mode).toBe('early proposal');
      expect(error.message).toContain("an early proposal (swc: decoratorVersion '2022-03')");
      expect(error.message).toContain("Set decoratorVersion: '2023-11' in swc");
    }
  });
});

describe('oxc with fields assigned', () => {
  it('drops the decorators of static fields, and the keys of computed ones', () => {
    const compile = byOxc({ experimentalDecorators: true, useDefineForClassFields: false });
    expect(compile('class A { @f static x = 1; }')).not.toContain('[f]');
    expect(compile('class A { @f [k] = 1; }')).toContain('A.prototype, null');
  });
});

describe('oxc with standard decorators', () => {
  it('leaves them to an engine, of which there is none: the program does not parse', () => {
    const code = byOxc({ useDefineForClassFields: true })('class A { @f x = 1; }');
    expect(code).toContain('@f');
    expect(() => new Function(code)).toThrow(SyntaxError);
  });
});
