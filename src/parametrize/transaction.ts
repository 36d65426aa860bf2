import type { Variable } from '@tensorflow/tfjs-core';
import { ParametrizeError } from '../core/errors.ts';
import { watchingAssignments } from '../engine/assignments.ts';
import {
  disposeVariable,
  isAlive,
  orderVariables,
  renameVariable,
  variableNamed,
  variableNames,
} from '../engine/variable.ts';

/** The work at the end of the open transaction. */
interface Open {
  /** The inverses of the changes, in the order of the changes. */
  readonly undo: (() => void)[];
  /** The postponed work that cannot be undone, such as disposals. */
  readonly atCommit: (() => void)[];
  /** The original order of the keys of each object; null if it is not noted. */
  readonly orders: Map<object, readonly PropertyKey[]> | null;
  /** The order of all variables before the first renaming. */
  names: readonly string[] | null;
}

let open: Open | null = null;

/**
 * Runs a synchronous function that changes chains of any number of tensors, all or nothing (law L5).
 *
 * Note [Transactions]: each change of a chain reports its inverse ({@link undoable}) when it is done, and postpones
 * work without an inverse ({@link atCommit}). If the function throws, the inverses run backwards, and every assigned
 * variable gets its value back. A nested transaction is a part of the outer one. It undoes only its own part if it
 * throws, and commits with the outermost. So functions of the catalog take part in a transaction of their caller.
 *
 * @param options - `keepsOrder: false` for one change whose keys change after everything that can fail: their order is
 * not noted, which takes time in proportion to their number. A nested transaction always notes it.
 * @throws {@link ParametrizeError} `ASYNC` if the function returns a promise; everything is undone
 */
export function transaction<T>(fn: () => T, { keepsOrder = true } = {}): T {
  const outer = open;
  const orders = keepsOrder || outer !== null ? new Map<object, readonly PropertyKey[]>() : null;
  const own: Open = { undo: [], atCommit: [], orders, names: null };
  return watchingAssignments((restore) => {
    let result: T;
    open = own;
    try {
      result = fn();
      checkSynchronous(result);
    } catch (error) {
      open = null;
      for (const undo of own.undo.reverse()) undo();
      for (const [object, keys] of own.orders ?? []) orderKeys(object, keys);
      if (own.names !== null) orderVariables(own.names);
      restore();
      throw error;
    } finally {
      open = outer;
    }
    if (outer === null) for (const run of own.atCommit) run();
    else {
      outer.undo.push(...own.undo);
      outer.atCommit.push(...own.atCommit);
      for (const [object, keys] of own.orders ?? []) {
        if (outer.orders?.has(object) === false) outer.orders.set(object, keys);
      }
      outer.names ??= own.names;
    }
    return result;
  });
}

/** The rest of a change that has been checked on tensors. It cannot fail. An open transaction can undo it. */
export type Commit = () => void;

/** True while a transaction is open. */
export const inTransaction = (): boolean => open !== null;

/** Reports the inverse of a change to the open transaction. The inverse must not throw. */
export function undoable(undo: () => void): void {
  open?.undo.push(undo);
}

/**
 * Postpones work that cannot be undone until the outermost transaction commits. Without a transaction, it runs at once.
 */
export function atCommit(run: () => void): void {
  if (open === null) run();
  else open.atCommit.push(run);
}

/** Notes the order of the keys of an object before keys are added or deleted. */
export function keepKeyOrder(object: object): void {
  if (open?.orders?.has(object) === false) open.orders.set(object, Reflect.ownKeys(object));
}

const retired = new WeakSet<Variable>();

/** Disposes a variable when the outermost transaction commits. */
export function retireVariable(variable: Variable): void {
  if (!isAlive(variable)) return;
  retired.add(variable);
  undoable(() => void retired.delete(variable));
  atCommit(() => disposeVariable(variable));
}

/** Renames a variable to a name that a retired variable may still have. */
export function takeName(variable: Variable, name: string): void {
  const holder = variableNamed(name);
  if (holder === variable) return;
  if (open !== null) open.names ??= variableNames();
  for (const [one, to] of [
    [holder, `${name}/retired`],
    [variable, name],
  ] as const) {
    if (one === undefined || (one !== variable && !retired.has(one))) continue;
    const before = one.name;
    renameVariable(one, to);
    undoable(() => renameVariable(one, before));
    // An object that still holds the retired variable finds its name, as soon as the registry has forgotten it.
    if (one === holder) {
      atCommit(() => {
        if (!isAlive(one)) one.name = before;
      });
    }
  }
}

function orderKeys(object: object, keys: readonly PropertyKey[]): void {
  const now = Reflect.ownKeys(object);
  if (now.length === keys.length && now.every((key, i) => key === keys[i])) return;
  for (const key of keys) {
    const descriptor = Object.getOwnPropertyDescriptor(object, key);
    if (descriptor?.configurable !== true) continue;
    Reflect.deleteProperty(object, key);
    Object.defineProperty(object, key, descriptor);
  }
}

function checkSynchronous(result: unknown): void {
  if (typeof (result as PromiseLike<unknown> | null | undefined)?.then !== 'function') return;
  // No caller sees the promise. Without a handler, its rejection would end the process.
  Promise.resolve(result).catch(() => {});
  throw new ParametrizeError('ASYNC', {
    fact: 'a transaction got a function that returned a promise. Its later changes could not be taken back',
    remedy: 'Wait before or after it.',
  });
}
