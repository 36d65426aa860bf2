import type { Variable } from '@tensorflow/tfjs-core';
import { guardSteps } from '../engine/optimizerGuard.ts';
import { guardDisposal } from '../engine/variable.ts';
import type { Module } from '../nn/module/module.ts';
import { deleteComputed, enterComputed } from '../nn/spelling/normalizedTensor.ts';
import type { Attachment } from './host.ts';
import type { ParametrizationList } from './parametrizationList.ts';

/** One parametrized tensor of one host. */
export interface Registration {
  readonly list: ParametrizationList;
  readonly attachment: Attachment;
  /** The name that the host's variable had, for the variable that removal puts back. */
  readonly variableName: string | undefined;
}

const registrations = new WeakMap<object, Map<string, Registration>>();
const listsOfVariable = new WeakMap<Variable, Set<ParametrizationList>>();
const listsOfModule = new WeakMap<Module, Set<ParametrizationList>>();
const places = new WeakMap<object, { readonly host: object; readonly attachment: Attachment }>();
const madeByRegistration = new WeakSet<Module>();

/** The registration on one tensor of a host. */
export const registrationOf = (host: object, name: string): Registration | undefined =>
  registrations.get(host)?.get(name);

/** The registrations on a host, by tensor name, in the order in which they were made. */
export const registrationsOf = (host: object): ReadonlyMap<string, Registration> =>
  registrations.get(host) ?? new Map<string, Registration>();

/** Enters a registration, and who owns the originals and the parametrizations of its chain. */
export function enterRegistration(host: object, name: string, registration: Registration): void {
  const byName = registrations.get(host) ?? new Map<string, Registration>();
  registrations.set(host, byName.set(name, registration));
  const { list } = registration;
  enterComputed(host, name, { list, isHooked: registration.attachment.isHooked === true });
  places.set(list, { host, attachment: registration.attachment });
  guardSteps(list.parameters());
  guardDisposal(isBeingRead);
  for (const variable of list.chain.ownVariables()) add(listsOfVariable, variable, list);
  for (const { module } of list.chain.steps) if (module !== null) add(listsOfModule, module, list);
}

/** Takes back what {@link enterRegistration} did. */
export function deleteRegistration(host: object, name: string): void {
  const byName = registrations.get(host);
  const list = byName?.get(name)?.list;
  if (byName === undefined || list === undefined) return;
  byName.delete(name);
  deleteComputed(host, name);
  for (const variable of list.chain.ownVariables()) listsOfVariable.get(variable)?.delete(list);
  for (const { module } of list.chain.steps) if (module !== null) listsOfModule.get(module)?.delete(list);
}

/** Notes that a chain has one more module. */
export function enterModule(module: Module, list: ParametrizationList): void {
  add(listsOfModule, module, list);
  guardSteps(module.parameters());
}

/** True while a chain runs that a variable is an original of: a forward may dispose its argument. */
function isBeingRead(variable: Variable): boolean {
  for (const { chain } of listsOfVariable.get(variable) ?? []) if (chain.isEvaluating) return true;
  return false;
}

/**
 * The lists that a variable is an original of; more than one after a transfer. A list whose original is parametrized itself
 * is none of them: the variable is the nested list's then.
 */
export const listsWithOriginal = (variable: Variable): ReadonlySet<ParametrizationList> =>
  new Set(
    [...(listsOfVariable.get(variable) ?? [])].filter((list) => list.chain.ownVariables().includes(variable)),
  );

/** Notes that a list has been given back an original whose parametrization was removed. */
export function enterOriginal(variable: Variable, list: ParametrizationList): void {
  add(listsOfVariable, variable, list);
}

/** The lists that a parametrization is part of. */
export const listsWithModule = (module: Module): ReadonlySet<ParametrizationList> =>
  listsOfModule.get(module) ?? new Set();

/**
 * Tells the places of chains that something in them has other variables than before.
 *
 * @param host - what changed: a list, one of whose originals was parametrized, or a parametrization
 */
export function tellPlaces(host: object): void {
  const place = places.get(host);
  if (place === undefined) {
    for (const list of listsOfModule.get(host as Module) ?? []) tellPlaces(list);
    return;
  }
  place.attachment.changed?.(host as ParametrizationList);
  tellPlaces(place.host);
}

/** How a chain stands on its host; undefined for anything else. */
export const attachmentOf = (list: object): Attachment | undefined => places.get(list)?.attachment;

/** Marks a parametrization that a registration function made: removal disposes it, nobody else holds it. */
export function markMade<M extends Module>(module: M): M {
  madeByRegistration.add(module);
  return module;
}

/** True if {@link markMade} was called for it. */
export const isMade = (module: Module): boolean => madeByRegistration.has(module);

function add<K extends object, V>(map: WeakMap<K, Set<V>>, key: K, value: V): void {
  const values = map.get(key);
  if (values === undefined) map.set(key, new Set([value]));
  else values.add(value);
}
