import type { Variable } from '@tensorflow/tfjs-core';
import { guardSteps } from '../../engine/optimizerGuard.ts';
import { guardDisposal } from '../../engine/variable.ts';
import { disposeBut } from '../../nn/module/disposal.ts';
import { isModule } from '../../nn/module/fields.ts';
import type { Module } from '../../nn/module/module.ts';
import { deleteComputed, enterComputed } from '../../nn/module/normalizedTensor.ts';
import { markSelf, rawOf, unmarkSelf } from '../../nn/module/rawOf.ts';
import { atCommit, inTransaction, undoable } from '../transaction.ts';
import { raiseVersion } from '../version.ts';
import type { Attachment } from './attachment.ts';
import type { ChainStep } from './chainStep.ts';
import type { ParametrizationList } from './parametrizationList.ts';

/** One parametrized tensor of one host. */
export interface Registration {
  readonly list: ParametrizationList;
  readonly attachment: Attachment;
  /** The old name of the host's variable. Removal gives it to the new variable. */
  readonly variableName: string | undefined;
}

const registrations = new WeakMap<object, Map<string, Registration>>();
const listsOfVariable = new WeakMap<Variable, Set<ParametrizationList>>();
const listsOfRegistered = new WeakMap<object, Set<ParametrizationList>>();
const attachmentByList = new WeakMap<object, { readonly host: object; readonly attachment: Attachment }>();
const disposalOf = new WeakMap<object, () => void>();

/** Returns the registration on one tensor of a host. */
export const registrationOf = (host: object, name: string): Registration | undefined =>
  registrations.get(rawOf(host))?.get(name);

/** Returns the registrations on a host by tensor name, in the order of registration. */
export const registrationsOf = (host: object): ReadonlyMap<string, Registration> =>
  registrations.get(rawOf(host)) ?? new Map<string, Registration>();

/** Enters a registration, and the ownership of the originals and the parametrizations of its chain. */
export function enterRegistration(reached: object, name: string, registration: Registration): void {
  markSelf(reached);
  const host = rawOf(reached);
  const byName = registrations.get(host) ?? new Map<string, Registration>();
  registrations.set(host, byName.set(name, registration));
  undoable(() => deleteRegistration(host, name));
  const { list } = registration;
  enterComputed(host, name, { list, isHooked: registration.attachment.isHooked === true });
  attachmentByList.set(list, { host, attachment: registration.attachment });
  guardSteps(list.parameters());
  guardDisposal(isBeingRead);
  for (const variable of list.ownVariables()) add(listsOfVariable, variable, list);
  for (const { registered } of list.steps) add(listsOfRegistered, registered, list);
}

/** Undoes {@link enterRegistration}. */
export function deleteRegistration(reached: object, name: string): void {
  const host = rawOf(reached);
  const byName = registrations.get(host);
  const list = byName?.get(name)?.list;
  if (byName === undefined || list === undefined) return;
  const before = inTransaction() ? [...byName] : [];
  undoable(() => {
    for (const [other] of registrationsOf(host)) forget(host, other);
    for (const [other, registration] of before) enterRegistration(host, other, registration);
  });
  forget(host, name);
}

function forget(host: object, name: string): void {
  const byName = registrations.get(host)!;
  const { list } = byName.get(name)!;
  byName.delete(name);
  if (byName.size === 0) {
    registrations.delete(host);
    if (!isModule(host)) unmarkSelf(host);
  }
  deleteComputed(host, name);
  for (const variable of list.ownVariables()) listsOfVariable.get(variable)?.delete(list);
  for (const { registered } of list.steps) listsOfRegistered.get(registered)?.delete(list);
}

/** Notes a new step of a chain. */
export function enterStep({ registered, module }: ChainStep, list: ParametrizationList): void {
  const isNew = listsOfRegistered.get(registered)?.has(list) !== true;
  add(listsOfRegistered, registered, list);
  if (isNew) undoable(() => void listsOfRegistered.get(registered)?.delete(list));
  if (module !== null) guardSteps(module.parameters());
}

/** Notes that a chain has a step less; what was given to it is disposed at the commit. */
export function leaveStep({ registered }: ChainStep, list: ParametrizationList): void {
  if (list.steps.some((step) => step.registered === registered)) return;
  if (listsOfRegistered.get(registered)?.delete(list)) {
    undoable(() => add(listsOfRegistered, registered, list));
  }
  atCommit(() => disposeOwned(registered));
}

/** True while a chain with this original runs, because a forward may dispose its argument. */
function isBeingRead(variable: Variable): boolean {
  for (const list of listsOfVariable.get(variable) ?? []) if (list.isEvaluating) return true;
  return false;
}

/**
 * Returns the lists with this original: several after a transfer. If the original of a list is parametrized, the
 * variable belongs only to the nested list.
 */
export const listsWithOriginal = (variable: Variable): ReadonlySet<ParametrizationList> =>
  new Set(
    [...(listsOfVariable.get(variable) ?? [])].filter((list) => list.ownVariables().includes(variable)),
  );

/** Notes that a list has an original: one whose parametrization was removed, or one of a changed chain. */
export function enterOriginal(variable: Variable, list: ParametrizationList): void {
  add(listsOfVariable, variable, list);
  undoable(() => void listsOfVariable.get(variable)?.delete(list));
}

/** Notes that a list has an original no more. */
export function leaveOriginal(variable: Variable, list: ParametrizationList): void {
  if (listsOfVariable.get(variable)?.delete(list)) {
    undoable(() => add(listsOfVariable, variable, list));
  }
}

/** Returns the lists that contain a parametrization. */
export const listsWithModule = (module: Module): ReadonlySet<ParametrizationList> =>
  listsOfRegistered.get(module) ?? new Set();

/**
 * Notifies the attachments of chains whose variables have changed.
 *
 * @param host - the changed object: a list with a newly parametrized original, or a parametrization
 */
function notifyAttachments(host: object): void {
  const attached = attachmentByList.get(rawOf(host));
  if (attached === undefined) {
    for (const list of listsOfRegistered.get(rawOf(host)) ?? []) notifyAttachments(list);
    return;
  }
  attached.attachment.changed?.(host as ParametrizationList);
  notifyAttachments(attached.host);
}

/**
 * Changes the variables of a chain or host, then notifies the attachments of chains. Undoing the change notifies them
 * again.
 */
export function announced(host: object, change: () => void): void {
  let isDone = false;
  // Reported before the change, so that it runs after all inverses of the change.
  undoable(() => {
    if (isDone) announce(host);
  });
  change();
  isDone = true;
  announce(host);
}

function announce(host: object): void {
  if (isModule(host)) raiseVersion(host);
  notifyAttachments(host);
}

/** Returns the attachment of a chain to its host; undefined for other objects. */
export const attachmentOf = (list: object): Attachment | undefined => attachmentByList.get(list)?.attachment;

/**
 * Gives a parametrization to the chains that contain it. The removal of the last of them disposes it. Registration
 * functions and copiers do this with the parametrizations that they make. A parametrization that the caller registers
 * belongs to the caller.
 */
export function giveToChains(registered: object, dispose: () => void): void {
  disposalOf.set(registered, dispose);
}

/**
 * Takes a parametrization back from the chains, so that the removal of the last of them does not dispose it.
 *
 * @returns the function that disposes it, or undefined if it belongs to the caller of its registration
 */
export function takeFromChains(registered: object): (() => void) | undefined {
  const dispose = disposalOf.get(registered);
  if (dispose === undefined) return undefined;
  disposalOf.delete(registered);
  undoable(() => giveToChains(registered, dispose));
  return dispose;
}

/**
 * Runs {@link giveToChains} for a module.
 *
 * @param spared - modules and variables below it that another object holds; they are not disposed
 */
export function markOwned<M extends Module>(module: M, spared: ReadonlySet<object> = new Set()): M {
  giveToChains(module, () => disposeBut(module, spared));
  return module;
}

/** True if removal disposes a parametrization. */
export const isOwned = (registered: object): boolean => disposalOf.has(registered);

/** Disposes a parametrization that was given to chains, unless a chain still contains it. */
export function disposeOwned(registered: object): void {
  if ((listsOfRegistered.get(registered)?.size ?? 0) === 0) disposalOf.get(registered)?.();
}

/** Disposes the objects that were given to a list that ends. Modules are its children, and disposed with it. */
export function disposeObjects(list: ParametrizationList): void {
  for (const { registered, module } of list.steps) {
    if (module !== null) continue;
    listsOfRegistered.get(registered)?.delete(list);
    disposeOwned(registered);
  }
}

function add<K extends object, V>(map: WeakMap<K, Set<V>>, key: K, value: V): void {
  const values = map.get(key);
  if (values === undefined) map.set(key, new Set([value]));
  else values.add(value);
}
