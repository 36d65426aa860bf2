import type { NamedTensorMap, Optimizer, Scalar, Tensor, Variable } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { type ParametrizeError, refusal } from '../core/errors.ts';
import { typeName } from '../core/text.ts';
import { wrapOnce } from '../core/wrapOnce.ts';
import {
  concernsUs,
  isComputing,
  markComputing,
  noteRestored,
  noteStep,
  type Owners,
  ownersOf,
  ownersOfRestored,
  setOwners,
} from './optimizerOwners.ts';
import { firstSlots, isStateless } from './optimizerSlots.ts';
import { registeredPrototype } from './registeredClass.ts';
import { isAlive, variableNamed } from './variable.ts';

// Note [Guarded steps]. tfjs has no hook between an optimizer and its variables. So three of its methods are wrapped:
// `applyGradients` and `setWeights` of its seven optimizers, found in its registry of classes, and `minimize` of their
// base class. If tfjs lacks the registry or a method, nothing is wrapped, and only a call of `syncOptimizer` moves
// state. The wrappers note the variables that an optimizer makes state for. They change a step only if a parametrized
// tensor is or was computed from one of its variables, and the list of the step differs from the list of the state.
// Then state follows the identity of the variables. A step is refused if only some of its variables have state, or if a
// variable with state was disposed.

/** Guards the steps that train these variables, from which parametrized tensors are computed. */
export function guardSteps(variables: readonly Variable[]): void {
  install();
  markComputing(variables);
}

/** The gradients as `applyGradients` takes them, one for each variable. */
export type Gradients = NamedTensorMap | { name: string; tensor: Tensor }[];

interface OptimizerMethods {
  applyGradients(gradients: Gradients): void;
  setWeights(weights: unknown): Promise<void>;
  minimize(loss: () => Scalar, returnCost?: boolean, variables?: Variable[]): Scalar | null;
}

const GUARDED: unique symbol = Symbol.for('tfjs-parametrize.guarded') as never;

/** The gradients of refused steps. `minimize` of tfjs would leak them. */
const refused = new WeakMap<ParametrizeError, Gradients>();

const namesIn = (gradients: Gradients): string[] =>
  Array.isArray(gradients) ? gradients.map(({ name }) => name) : Object.keys(gradients);

const tensorsIn = (gradients: Gradients): (Tensor | null | undefined)[] =>
  Array.isArray(gradients) ? gradients.map(({ tensor }) => tensor) : Object.values(gradients);

const guards: { [K in keyof OptimizerMethods]: (original: OptimizerMethods[K]) => OptimizerMethods[K] } = {
  applyGradients: (original) =>
    function (this: Optimizer, gradients) {
      const arranged = isComputing() ? byOwner(this, gradients) : gradients;
      try {
        original.call(this, arranged);
      } finally {
        noteStep(this, () => namesIn(arranged).map(variableNamed));
      }
    },
  setWeights: (original) =>
    async function (this: Optimizer, weights) {
      await original.call(this, weights);
      noteRestored(this);
    },
  minimize: (original) =>
    function (this: Optimizer, loss, returnCost, variables) {
      // This check runs before the loss, because a forward pass may write buffers and a refused step must change
      // nothing.
      if (isComputing()) checkBefore(this, variables);
      let cost: Scalar | undefined;
      const noting = typeof loss !== 'function' ? loss : () => (cost = loss());
      try {
        return original.call(this, noting, returnCost, variables);
      } catch (error) {
        const gradients = refused.get(error as ParametrizeError);
        if (gradients !== undefined) tf.dispose([cost!, gradients] as never);
        throw error;
      }
    },
};

/**
 * Returns the gradients of a step in the order in which the optimizer has state. Variables without a gradient keep
 * their positions.
 *
 * @throws {@link ParametrizeError} `NOT_SYNCED` if there are other variables
 */
function byOwner(optimizer: Optimizer, gradients: Gradients): Gradients {
  const variables = namesIn(gradients).map(variableNamed);
  const owners = refuseStep(gradients, () => ownersForStep(optimizer, 'applyGradients', variables));
  if (owners === variables) return gradients;
  if (ownersOf(optimizer) === 'restored') setOwners(optimizer, owners);
  const tensors = tensorsIn(gradients);
  const gradientOf = new Map(variables.map((variable, i) => [variable, tensors[i]]));
  return owners.map((owner) => ({ name: owner!.name, tensor: gradientOf.get(owner) as Tensor }));
}

/** Runs a check of a step. If it throws, `minimize` disposes these gradients. */
export function refuseStep<T>(gradients: Gradients, check: () => T): T {
  try {
    return check();
  } catch (error) {
    refused.set(error as ParametrizeError, gradients);
    throw error;
  }
}

/**
 * Refuses the step of an optimizer before the steps of others that belong to it.
 *
 * @throws {@link ParametrizeError} `NOT_SYNCED`
 */
export function checkStep(optimizer: Optimizer, variables: readonly Variable[]): void {
  if (isComputing()) ownersForStep(optimizer, 'applyGradients', variables);
}

/**
 * Refuses a step before its loss runs.
 *
 * @throws {@link ParametrizeError} `NOT_SYNCED`
 */
export function checkBefore(optimizer: Optimizer, variables: unknown): void {
  guardClassOf(optimizer);
  if (variables == null) {
    // The list of the step is known only after the gradient. A disposed variable of the state is known now.
    const owners = ownersOf(optimizer);
    if (Array.isArray(owners) && concernsUs(owners)) checkAlive(optimizer, 'minimize', owners);
  } else if (Array.isArray(variables) && variables.every((variable) => variable instanceof tf.Variable)) {
    const living = (variables as Variable[]).map((variable) => (isAlive(variable) ? variable : undefined));
    ownersForStep(optimizer, 'minimize', living, variables);
  }
}

/**
 * Returns the owners of the state of an optimizer in the order of the state, or the list itself if tfjs may run the
 * step unchanged.
 *
 * @param listed - the list, which may contain disposed variables
 */
function ownersForStep(optimizer: Optimizer, caller: string, variables: Owners, listed = variables): Owners {
  if (isStateless(optimizer)) return variables;
  const known = ownersOf(optimizer) ?? variables.filter((variable) => variable !== undefined);
  const owners = known === 'restored' ? ownersOfRestored(optimizer, variables) : known;
  const isSame = owners !== undefined && sameOwners(owners, variables);
  if (isSame && variables.every(Boolean)) return variables;
  if (!concernsUs(variables, listed, owners ?? [])) return variables;
  if (owners === undefined) throw notTheirs(optimizer, caller, variables.length);
  checkAlive(optimizer, caller, owners);
  const position = new Set(owners);
  const fresh = variables.findIndex((variable) => variable === undefined || !position.has(variable));
  if (fresh >= 0) throw notSynced(optimizer, caller, newFact(variables[fresh], listed[fresh]));
  if (new Set(variables).size < variables.length) {
    throw notSynced(optimizer, caller, 'a variable stands twice in the list, where its state stands once');
  }
  return owners;
}

const sameOwners = (a: Owners, b: Owners): boolean =>
  a.length === b.length && a.every((owner, i) => owner === b[i]);

function checkAlive(optimizer: Optimizer, caller: string, owners: Owners): void {
  const gone = owners.find((owner) => owner === undefined || !isAlive(owner));
  if (gone === undefined && !owners.includes(undefined)) return;
  const name = gone === undefined ? '' : ` '${gone.name}'`;
  throw notSynced(optimizer, caller, `it has state of a variable${name} that has been disposed`);
}

const newFact = (variable: Variable | undefined, listed: Variable | undefined): string =>
  variable === undefined
    ? `the variable${listed === undefined ? '' : ` '${listed.name}'`} of this step has been disposed`
    : `it has no state of the variable '${variable.name}', but of others`;

const notSynced = (optimizer: Optimizer, caller: string, fact: string): ParametrizeError =>
  refusal(
    'NOT_SYNCED',
    caller,
    `the variables are not those that the state of this ${typeName(optimizer)} was made for: ${fact}. Since then, parametrizations were registered or removed, or the list has changed`,
    'Call syncOptimizer(optimizer, model.parameters()) with all variables that it trains, or step with minimize(optimizer, loss, model).',
  );

/** The error for restored state that fits neither by names nor by positions. */
export const notTheirs = (optimizer: Optimizer, caller: string, count: number): ParametrizeError =>
  refusal(
    'NOT_SYNCED',
    caller,
    `setWeights has given this ${typeName(optimizer)} the state of ${firstSlots(optimizer)!.length} variables by position, and the list has ${count} variables`,
    'Call syncOptimizer(optimizer, variables) with the variables that the state was saved for, in their order, before you register, remove or fold.',
  );

const CLASSES = ['SGD', 'Momentum', 'Adagrad', 'Adadelta', 'Adam', 'Adamax', 'RMSProp'];

let isInstalled = false;

function install(): void {
  if (isInstalled) return;
  isInstalled = true;
  for (const name of CLASSES) {
    const prototype = registeredPrototype(name);
    wrap(prototype, 'applyGradients');
    wrap(prototype, 'setWeights');
  }
  wrap(tf.Optimizer?.prototype, 'minimize');
}

/** Wraps the method of an optimizer that is not part of tfjs, in the class that makes its state. */
export function guardClassOf(optimizer: Optimizer): void {
  const own: object[] = [];
  for (let at: object | null = optimizer; at !== null; at = Object.getPrototypeOf(at) as object | null) {
    if (Object.hasOwn(at, 'applyGradients')) own.push(at);
  }
  const isGuarded = (at: object): boolean => GUARDED in (at as Optimizer).applyGradients;
  if (!own.some(isGuarded)) wrap(own.at(-1), 'applyGradients');
}

function wrap<K extends keyof OptimizerMethods>(prototype: object | undefined, name: K): void {
  if (prototype !== undefined) wrapOnce(prototype as OptimizerMethods, name, GUARDED, guards[name]);
}

// Installed before any registration, because state may be restored before the first one.
install();
