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
  /** The name that the host's variable had, for the variable that removal puts back. */
  readonly variableName: string | undefined;
}

const registrations = new WeakMap<object, Map<string, Registration>>();
const listsOfVariable = new WeakMap<Variable, Set<ParametrizationList>>();
const listsOfRegistered = new WeakMap<object, Set<ParametrizationList>>();
const attachmentByList = new WeakMap<object, { readonly host: object; readonly attachment: Attachment }>();
const disposalOf = new WeakMap<object, () => void>();

/** The registration on one tensor of a host. */
export const registrationOf = (host: object, name: string): Registration | undefined =>
  registrations.get(rawOf(host))?.get(name);

/** The registrations on a host, by tensor name, in the order in which they were made. */
export const registrationsOf = (host: object): ReadonlyMap<string, Registration> =>
  registrations.get(rawOf(host)) ?? new Map<string, Registration>();

/** Enters a registration, and who owns the originals and the parametrizations of its chain. */
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

/** Takes back what {@link enterRegistration} did. */
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

/** Notes that a chain has one more step. */
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

/** True while a chain runs that a variable is an original of: a forward may dispose its argument. */
function isBeingRead(variable: Variable): boolean {
  for (const list of listsOfVariable.get(variable) ?? []) if (list.isEvaluating) return true;
  return false;
}

/**
 * The lists that a variable is an original of; more than one after a transfer. A list whose original is parametrized
 * itself is none of them: the variable is the nested list's then.
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

/** The lists that a parametrization is part of. */
export const listsWithModule = (module: Module): ReadonlySet<ParametrizationList> =>
  listsOfRegistered.get(module) ?? new Set();

/**
 * Tells the attachments of chains that their chain has other variables than before.
 *
 * @param host - what changed: a list, one of whose originals was parametrized, or a parametrization
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
 * Changes the variables of a chain or host, then tells the attachments of chains; again if the change is taken back.
 */
export function announced(host: object, change: () => void): void {
  let isDone = false;
  // Before the change, so that it runs after all inverses of it.
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

/** The attachment of a chain to its host; undefined for anything else. */
export const attachmentOf = (list: object): Attachment | undefined => attachmentByList.get(list)?.attachment;

/**
 * Gives a parametrization to the chains that it is part of: the removal of the last of them disposes it. Said of what a
 * registration function or a copier makes; what the caller registers stays the caller's.
 */
export function giveToChains(registered: object, dispose: () => void): void {
  disposalOf.set(registered, dispose);
}

/**
 * {@link giveToChains} for a module.
 *
 * @param spared - modules and variables below it that something else holds: they are not disposed
 */
export function markOwned<M extends Module>(module: M, spared: ReadonlySet<object> = new Set()): M {
  giveToChains(module, () => disposeBut(module, spared));
  return module;
}

/** True if removal disposes a parametrization. */
export const isOwned = (registered: object): boolean => disposalOf.has(registered);

/** Disposes a parametrization that was given to chains, unless it is part of one still. */
export function disposeOwned(registered: object): void {
  if ((listsOfRegistered.get(registered)?.size ?? 0) === 0) disposalOf.get(registered)?.();
}

/** Disposes what was given to a list that ends, but for modules: those are its children. */
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
