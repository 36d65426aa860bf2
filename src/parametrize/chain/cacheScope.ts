import type { Tensor } from '@tensorflow/tfjs-core';
import { release } from '../../engine/scope.ts';

/** A member of a cache scope. It holds a value that must not outlive the last scope. */
export interface ScopeMember {
  /**
   * Called when the last scope ends. `handedOver` are the tensors of its result, which the caller owns from then on.
   */
  leaveScope(handedOver: ReadonlySet<Tensor>): void;
}

let depth = 0;
let generation = 0;
const members = new Set<ScopeMember>();
const retired: Tensor[] = [];

/** True while any `cached` is open in the process. */
export const inCacheScope = (): boolean => depth > 0;

/** Returns a number that changes when the last scope ends, so it differs for scopes that do not overlap. */
export const cacheGeneration = (): number => generation;

/** Registers a member that holds a value for the open scopes. */
export function joinScope(member: ScopeMember): void {
  members.add(member);
}

/** Undoes {@link joinScope}. */
export function quitScope(member: ScopeMember): void {
  members.delete(member);
}

/** Keeps a value alive until the last scope ends, because a caller may hold it. Reads no longer return it. */
export function retire(tensor: Tensor): void {
  if (depth > 0) retired.push(tensor);
  else tensor.dispose();
}

/** Opens a scope. Scopes may nest, and overlap in async code. Entries are versioned, so this cannot make them stale. */
export function enterScope(): void {
  depth++;
}

/** Closes a scope. The last one frees the values of the scopes, except for the tensors that are handed over. */
export function leaveScope(handedOver: readonly Tensor[]): void {
  if (--depth > 0) return;
  generation++;
  const kept = new Set(handedOver);
  const leaving = [...members];
  members.clear();
  for (const member of leaving) member.leaveScope(kept);
  for (const tensor of retired.splice(0)) {
    if (kept.has(tensor)) release(tensor);
    else tensor.dispose();
  }
}
