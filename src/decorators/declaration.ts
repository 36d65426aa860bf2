import * as tf from '@tensorflow/tfjs-core';
import { checkOptions } from '../core/checkOptions.ts';
import { isClass } from '../core/guards.ts';
import { typeName } from '../core/text.ts';
import { ModuleList } from '../nn/containers/containers.ts';
import { isModule } from '../nn/module/fields.ts';
import type { Module } from '../nn/module/module.ts';
import { markDeclared } from '../parametrize/chain/declared.ts';
import { disposeOwned, registrationsOf } from '../parametrize/chain/registry.ts';
import { definitionOf } from '../parametrize/definition.ts';
import { addedHostKindOf } from '../parametrize/host/hostKind.ts';
import { hostKindOf } from '../parametrize/host/objectHost.ts';
import type { Parametrization, ParametrizationLike } from '../parametrize/parametrization.ts';
import { watchingChanges } from '../parametrize/verbs/changeStep.ts';
import type { RegisterOptions } from '../parametrize/verbs/register.ts';
import { makeOwned, registerOwned } from '../parametrize/verbs/registerOwned.ts';
import { registerParametrization } from '../parametrize/verbs/registerParametrization.ts';
import { copyOptions } from './copyOptions.ts';
import { DecoratorError, type DecoratorMode } from './decoratorError.ts';

/** A function that registers a parametrization on a tensor of a host, such as `weightNorm`. */
export type RegistrationFunction<O = never> = (
  host: Module,
  name: string,
  options?: O,
  // biome-ignore lint/suspicious/noConfusingVoidType: a custom function need not return the host
) => object | void;

/** A function that makes a new parametrization for each object. */
export type ParametrizationFactory = () => ParametrizationLike;

/** One decorator on one field. */
export interface Declaration {
  /** The registration function or the factory. */
  readonly apply: RegistrationFunction | ParametrizationFactory;
  /** The name of the tensor of the module in the field, if the declaration has one. */
  readonly tensor: string | undefined;
  /** The options of the function, or of the registration of the result of the factory. */
  readonly options: Readonly<Record<string, unknown>>;
}

const caller = '@parametrized';

/**
 * Reads the arguments of a decorator.
 *
 * @throws {@link ParametrizeError} `INVALID_PARAMETRIZATION` if the first argument is neither a registration function
 * nor a factory, `OPTION`
 */
export function makeDeclaration(
  mode: DecoratorMode,
  apply: unknown,
  { name: tensor, ...options }: Record<string, unknown>,
): Declaration {
  if (typeof apply !== 'function' || isClass(apply)) {
    const className = typeof apply === 'function' ? apply.name : typeName(apply);
    throw new DecoratorError(mode, {
      caller,
      fact: `expected a registration function such as weightNorm or a factory, got ${typeName(apply)}, which every object of the class would share`,
      remedy: `Pass a factory: @parametrized(() => new ${className}(…)).`,
    });
  }
  if (tensor !== undefined && typeof tensor !== 'string') {
    throw new DecoratorError(mode, {
      caller,
      fact: `the name of the tensor is ${typeName(tensor)}, expected a string`,
      remedy: "Pass { name: 'weight' }, or nothing.",
    });
  }
  if (isFactory(apply)) checkOptions(caller, options, ['name', 'unsafe']);
  return { apply: apply as Declaration['apply'], tensor, options: copyOptions(options) };
}

/**
 * Registers a declared parametrization on the value of a field.
 *
 * @param value - the value that was assigned to the field; its tensor may be parametrized already
 * @param where - the field, for messages: `Net.weight`
 * @throws {@link DecoratorError} if the field holds neither a tensor nor a module; and the errors of the registration
 */
export function applyDeclaration(
  mode: DecoratorMode,
  { apply, tensor, options }: Declaration,
  host: object,
  field: string,
  value: unknown,
  where: string,
): void {
  if (value instanceof tf.Tensor) {
    if (tensor !== undefined) {
      throw new DecoratorError(mode, {
        caller,
        fact: `${where} holds a tensor, but { name: '${tensor}' } names one of a module`,
        remedy: 'Drop the name.',
      });
    }
    registerOn(mode, apply, host, field, options, where);
  } else {
    for (const child of childrenIn(mode, value, where)) {
      const name = tensor ?? hostKindOf(child).mainTensor(child);
      registerOn(mode, apply, child, name, options, where);
    }
  }
}

/** Returns the hosts in a field: a module, or the elements of a list of modules. */
function childrenIn(mode: DecoratorMode, value: unknown, where: string): object[] {
  if (value instanceof ModuleList) return [...value].flatMap((child) => childrenIn(mode, child, where));
  if (isModule(value)) return [value];
  if (typeof value === 'object' && value !== null && addedHostKindOf(value) !== undefined) return [value];
  throw new DecoratorError(mode, {
    caller,
    fact: `${where} holds ${typeName(value)}, which is neither a tensor nor a module`,
    remedy: 'Decorate the fields that hold parameter(…) or a Module.',
  });
}

function registerOn(
  mode: DecoratorMode,
  apply: Declaration['apply'],
  host: object,
  name: string,
  options: Declaration['options'],
  where: string,
): void {
  const before = new Set(stepsOn(host));
  const { changes } = watchingChanges(() => {
    if (isFactory(apply)) registerFrom(mode, apply, host, name, options, where);
    else (apply as RegistrationFunction<unknown>)(host as Module, name, copyOptions(options));
  });
  const added = stepsOn(host).filter((step) => !before.has(step));
  if (added.length + changes.length === 0 && addedHostKindOf(host) === undefined) {
    throw new DecoratorError(mode, {
      caller,
      fact: `${apply.name || 'the function'} has registered nothing on ${where}`,
      remedy: 'A map goes in a factory: @parametrized(() => (x) => …).',
    });
  }
  for (const step of added) markDeclared(step, where);
}

function registerFrom(
  mode: DecoratorMode,
  factory: ParametrizationFactory,
  host: object,
  name: string,
  options: RegisterOptions,
  where: string,
): void {
  const parametrization = makeOwned(factory);
  if (!isModule(parametrization)) {
    registerParametrization(host as Record<string, tf.Tensor>, name, parametrization, options);
    return;
  }
  if (fromFactories.has(parametrization)) {
    throw new DecoratorError(mode, {
      caller,
      fact: `the factory on ${where} has returned the same ${typeName(parametrization)} again`,
      remedy: `Make a new one for each object: () => new ${typeName(parametrization)}(…).`,
    });
  }
  fromFactories.add(parametrization);
  try {
    registerOwned(caller, host, name, () => parametrization as Parametrization, {
      definition: definitionOf(parametrization),
      options,
    });
  } catch (error) {
    disposeOwned(parametrization);
    throw error;
  }
}

/** The modules that factories made. Each belongs to one host, so it can be registered only once. */
const fromFactories = new WeakSet<object>();

const stepsOn = (host: object) => [...registrationsOf(host).values()].flatMap(({ list }) => list.steps);

/** True for a factory, which has no parameters. A registration function has the host as a parameter. */
const isFactory = (apply: unknown): apply is ParametrizationFactory =>
  typeof apply === 'function' && apply.length === 0;
