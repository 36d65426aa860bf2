import type { NamedTensorMap, Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { checkFunction } from '../../core/checkFunction.ts';
import { type ParametrizeError, refusal } from '../../core/errors.ts';
import { isRecord, isThenable } from '../../core/guards.ts';
import { nearest, typeName } from '../../core/text.ts';
import { activeScope } from '../../engine/scope.ts';
import { freshCache } from '../../parametrize/chain/freshCache.ts';
import type { ParametrizationList } from '../../parametrize/chain/parametrizationList.ts';
import { registrationsOf } from '../../parametrize/chain/registry.ts';
import { checkSpec, describeValue, isTensor } from '../../parametrize/chain/rightInverse.ts';
import { hostsOf } from '../../stateDict/hostsOf.ts';
import { checkModel } from '../checkModel.ts';
import { type Replaceable, replaceables } from './replaceable.ts';

const caller = 'evaluate';

/** A place with the tensor that it shows. */
interface Replacement {
  readonly key: string;
  readonly place: Replaceable;
  readonly tensor: Tensor;
}

/**
 * Runs a function while a model computes with other tensors: parameters, buffers or computed tensors, by their keys.
 * Nothing is written.
 *
 * A plain key, such as `0.weight`, of a parametrized tensor gives the tensor itself. A key of an original, such as
 * `0.parametrizations.weight.original0`, gives the original, and the maps are evaluated on it. If one variable is in
 * several fields, all of them show the tensor. Tied tensors follow their source.
 *
 * @remarks
 * **Shape**: that of each tensor, and its dtype.
 * **State**: nothing changes. While the function runs, a module lacks the given keys in `parameters()` and its state
 * dict, and the given tensors can be neither assigned nor edited. A forward pass that writes to a given buffer, such as
 * `running_mean` in training, is refused.
 * **Gradient**: with respect to the given tensors, of every order.
 * **Ownership**: the given tensors stay the caller's. The result is the caller's if it is the result of an op. A
 * borrowed value of a chain that is evaluated on given tensors ends with the call.
 *
 * @param model - a module, a layer or model of tf.layers, or an object that holds variables
 * @param tensors - the tensors by key; {@link describe} has the paths. Calls may nest
 * @param fn - a synchronous function
 * @returns what `fn` returns
 * @throws {@link ParametrizeError} `UNKNOWN_TENSOR` with the nearest keys; `NOT_A_VARIABLE`, `SHAPE`, `DTYPE`,
 * `OPTION`, `UNSUPPORTED_HOST`, `NOT_A_FUNCTION`; `CONFLICT` for two tensors for one variable; `ASYNC` if `fn` returns
 * a promise; and the errors of `fn`. The model is as before then.
 * @example
 * ```ts
 * const loss = (w: tf.Tensor) => evaluate(model, { '0.weight': w }, () => lossOf(model, batch));
 * const gradient = tf.grad(loss)(w);
 * ```
 * @see torch.func.functional_call
 */
export function evaluate<T>(model: object, tensors: NamedTensorMap, fn: () => T): T {
  checkModel(caller, model);
  checkFunction(caller, fn, 'evaluate(model, tensors, () => model.call(x))');
  if (!isRecord(tensors)) {
    const remedy = "Pass tensors by key: { '0.weight': tensor }.";
    throw refusal('OPTION', caller, `the tensors are ${typeName(tensors)}, expected an object`, remedy);
  }
  const replacements = planned(replaceables(caller, model), tensors);
  const undo: (() => void)[] = [];
  try {
    for (const list of listsOn(model, new Set(replacements.map(({ place }) => place.owner)))) {
      undo.push(freshCache(list), incomplete(list));
    }
    for (const replacement of replacements) undo.push(show(replacement));
    const result = fn();
    if (isThenable(result)) throw asynchronous(result);
    return result;
  } finally {
    for (const one of undo.reverse()) one();
  }
}

/** Finds the place of each tensor, and the other places of its variable. */
function planned(places: ReadonlyMap<string, Replaceable>, tensors: NamedTensorMap): Replacement[] {
  const unknown = Object.keys(tensors).filter((key) => !places.has(key));
  if (unknown.length > 0) throw unknownTensors(unknown, [...places.keys()]);
  const byPlace = new Map<object, { readonly key: string; readonly tensor: Tensor }>();
  for (const [key, tensor] of Object.entries(tensors) as [string, unknown][]) {
    const place = places.get(key)!;
    if (!isTensor(tensor)) {
      throw refusal('NOT_A_VARIABLE', caller, `'${key}' is ${describeValue(tensor)}`, 'Pass a tensor.');
    }
    checkSpec(caller, `'${key}'`, tensor, place, 'Pass a tensor like that of the model.');
    const other = byPlace.get(identityOf(place));
    if (other !== undefined && other.tensor !== tensor) {
      const fact = `'${other.key}' and '${key}' are one tensor of the model, and two tensors are given`;
      throw refusal('CONFLICT', caller, fact, 'Leave one of the two out.');
    }
    byPlace.set(identityOf(place), { key, tensor });
  }
  const shown = [...new Set(places.values())];
  return shown.flatMap((place) => {
    const given = byPlace.get(identityOf(place));
    return given === undefined ? [] : [{ ...given, place }];
  });
}

/** The variable of a place, which all fields that hold it share, or its chain. */
const identityOf = ({ variable, owner }: Replaceable): object => variable ?? owner;

function show({ key, place, tensor }: Replacement): () => void {
  const refuse = (): never => {
    throw refusal(
      'CONFLICT',
      `assigning '${key}'`,
      'evaluate shows another tensor in its place',
      place.isBuffer
        ? 'Call eval() before, or leave the buffer out.'
        : 'Assign before evaluate, or after it.',
    );
  };
  if (!place.isBuffer) return place.show(tensor, refuse);
  // Forward passes write into buffers by `assign`.
  const buffer = Object.defineProperty(tf.clone(tensor), 'assign', { value: refuse });
  const isFree = activeScope() === null;
  const restore = place.show(buffer, refuse);
  return () => {
    restore();
    if (isFree) buffer.dispose();
  };
}

/** Returns the chains of a model whose values depend on one of these objects. */
const listsOn = (model: object, owners: ReadonlySet<object>): ParametrizationList[] =>
  hostsOf(model)
    .flatMap(([, host]) => [...registrationsOf(host).values()].map(({ list }) => list))
    .filter((list) => list.modules().some((module) => owners.has(module)));

/** Makes edits of a chain be refused; see `checkComplete`. */
function incomplete(list: ParametrizationList): () => void {
  const before = list.active;
  const active = [...before];
  list.active = active;
  return () => {
    if (list.active === active) list.active = before;
  };
}

function unknownTensors(unknown: readonly string[], known: readonly string[]): ParametrizeError {
  const listed = unknown.slice(0, 8).map((key) => {
    const near = nearest(key, known, 2).map((other) => `'${other}'`);
    return `'${key}'${near.length === 0 ? '' : ` (nearest: ${near.join(', ')})`}`;
  });
  const rest = unknown.length > 8 ? ` and ${unknown.length - 8} more` : '';
  const remedy = 'describe(model, { unparametrized: true }) lists the tensors.';
  return refusal('UNKNOWN_TENSOR', caller, `the model has no tensor ${listed.join(', ')}${rest}`, remedy);
}

function asynchronous(result: PromiseLike<unknown>): ParametrizeError {
  // No caller sees the promise. Without a handler, its rejection would end the process.
  Promise.resolve(result).catch(() => {});
  const fact = 'the function returned a promise, and the tensors are shown only until it returns';
  return refusal('ASYNC', caller, fact, 'Compute in evaluate, and wait for data after it.');
}
