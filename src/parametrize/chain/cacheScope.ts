import type { Tensor } from '@tensorflow/tfjs-core';
import { release } from '../../engine/scope.ts';

/** A member of a cache scope: it holds a value that must not outlive the last scope. */
export interface ScopeMember {
  /** The last scope ends; `handedOver` are the tensors of its result, which become the caller's. */
  leaveScope(handedOver: ReadonlySet<Tensor>): void;
}

let depth = 0;
let generation = 0;
const members = new Set<ScopeMember>();
const retired: Tensor[] = [];

/** True while a `cached` is open anywhere in the process. */
export const inCacheScope = (): boolean => depth > 0;

/** Tells scopes apart that do not overlap: a number that changes when the last one ends. */
export const cacheGeneration = (): number => generation;

/** Registers who holds a value for the open scopes. */
export function joinScope(member: ScopeMember): void {
  members.add(member);
}

/** Takes back what {@link joinScope} did. */
export function quitScope(member: ScopeMember): void {
  members.delete(member);
}

/** Keeps a value that somebody may still hold alive until the last scope ends; it is not served any more. */
export function retire(tensor: Tensor): void {
  if (depth > 0) retired.push(tensor);
  else tensor.dispose();
}

/** Opens a scope. Scopes may nest and, in async code, overlap: entries are versioned, so neither can make one stale. */
export function enterScope(): void {
  depth++;
}

/** Closes a scope; the last one frees what the scopes held, but for the tensors that are handed over. */
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
