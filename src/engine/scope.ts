import * as tf from '@tensorflow/tfjs-core';

/** One `tf.tidy` scope of the tfjs engine: the tensors that it will dispose when it ends. */
export interface Scope {
  readonly id: number;
  readonly name: string;
  readonly track: tf.Tensor[];
}

interface ScopeState {
  readonly activeScope: Scope | null;
  readonly scopeStack: readonly Scope[];
}

const state = (): ScopeState => tf.engine().state as unknown as ScopeState;

/** The innermost open tidy, or null outside of all. */
export const activeScope = (): Scope | null => state().activeScope;

/** True while the scope has not ended yet. */
export function isOpen(scope: Scope): boolean {
  const { activeScope, scopeStack } = state();
  return activeScope === scope || scopeStack.includes(scope);
}

interface TapeState extends ScopeState {
  readonly activeTape: object | null;
  readonly gradientDepth: number;
}

// The number of scopes that were open when a tape began. The name of the tape's scope does not identify it, because any
// tidy may have the same name.
const scopesOutside = new WeakMap<object, number>();
const watched = new WeakSet<object>();

/**
 * Notes the scope of every later tape for {@link tapeScope}. tfjs does not publish where a tape begins, so this wraps
 * the engine's function once.
 */
export function watchTapes(): void {
  const engine = tf.engine() as unknown as { startTape?: unknown; state: TapeState };
  const { startTape } = engine;
  if (watched.has(engine) || typeof startTape !== 'function') return;
  watched.add(engine);
  engine.startTape = function (this: typeof engine): void {
    startTape.call(this);
    const { gradientDepth, activeTape, scopeStack } = this.state;
    if (gradientDepth === 1 && activeTape !== null) scopesOutside.set(activeTape, scopeStack.length);
  };
}

/**
 * Returns the scope whose end ends the recording: the tidy in which tfjs runs the function of the outermost gradient.
 * Returns null outside of every scope.
 */
export function tapeScope(): Scope | null {
  const { activeTape, gradientDepth, scopeStack } = tf.engine().state as unknown as TapeState;
  const outside = activeTape === null ? undefined : scopesOutside.get(activeTape);
  if (outside !== undefined) return scopeStack[outside] ?? null;
  // This tape began before `watchTapes` ran. Each open gradient has a scope with this name, and these are the innermost
  // ones, unless a gradient has opened a tidy of the same name.
  const named = scopeStack.filter((scope) => scope.name === 'forward');
  return named.at(-gradientDepth) ?? named[0] ?? scopeStack[0] ?? null;
}

/** True for a tensor that no scope disposes because of `tf.keep`. */
export const isKept = (tensor: tf.Tensor): boolean => tensor.kept;

/** True if this scope will dispose the tensor. */
export const isOwnedBy = (tensor: tf.Tensor, scope: Scope): boolean =>
  !tensor.kept &&
  !(tensor instanceof tf.Variable) &&
  (tensor as unknown as { scopeId: number }).scopeId === scope.id;

/** Moves a tensor from the innermost scope to an enclosing scope, which then disposes it. */
export function moveToScope(tensor: tf.Tensor, target: Scope): void {
  const source = activeScope();
  if (source === null || source === target) return;
  const index = source.track.lastIndexOf(tensor);
  if (index < 0) return;
  source.track.splice(index, 1);
  target.track.push(tensor);
  (tensor as { scopeId: number }).scopeId = target.id;
}

/** Gives a kept tensor to the innermost scope, or to the caller if no scope is open. */
export function release(tensor: tf.Tensor): void {
  (tensor as { kept: boolean }).kept = false;
  const scope = activeScope();
  if (scope === null) return;
  scope.track.push(tensor);
  (tensor as { scopeId: number }).scopeId = scope.id;
}

/**
 * Makes a second tensor on the same data. The backend counts both, so either may be disposed first.
 *
 * `tf.clone` does the same on cpu, webgl and webgpu but copies the data on wasm, and it records an operation. An alias
 * is not recorded on a tape, so it is only for values without a gradient.
 */
export function alias<T extends tf.Tensor>(tensor: T): T {
  const backend = countingBackend(tensor);
  if (backend === null) {
    return tf.customGrad(() => ({ value: tf.clone(tensor), gradFunc: () => [] }))() as T;
  }
  const second = tf.engine().makeTensorFromTensorInfo(tensor, backend);
  backend.incRef(tensor.dataId);
  return second as T;
}

/** Returns the backend if it counts the tensors on these data, otherwise null. */
export function countingBackend({ dataId, dtype }: tf.Tensor): tf.KernelBackend | null {
  const backend = tf.engine().state.tensorInfo.get(dataId)?.backend;
  return backend === undefined || typeof backend.incRef !== 'function' || dtype === 'complex64'
    ? null
    : backend;
}

/**
 * Returns the tensors in a result: the result itself, or the tensors in arrays and plain objects, at any depth.
 *
 * `tf.tidy` walks any result element by element, which takes 0.2 s for a `Float32Array` of a million numbers. This walk
 * enters only arrays and plain objects.
 */
export function tensorsIn(result: unknown): tf.Tensor[] {
  const found = new Set<tf.Tensor>();
  const seen = new Set<object>();
  const walk = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    if (value instanceof tf.Tensor) {
      found.add(value);
    } else if (Array.isArray(value) || isPlainObject(value)) {
      if (seen.has(value)) return;
      seen.add(value);
      for (const item of Array.isArray(value) ? value : Object.values(value)) walk(item);
    }
  };
  walk(result);
  return [...found];
}

/** True for `{…}` literals and null-prototype objects. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

/**
 * Runs `fn` in a new tidy. It disposes every tensor made in `fn`, except those in its result ({@link tensorsIn}), which
 * the enclosing scope tracks from then on. Unlike `tf.tidy`, it does not walk typed arrays.
 */
export function scoped<T>(name: string, fn: (scope: Scope) => T): T {
  const engine = tf.engine();
  engine.startScope(name);
  let result: T;
  try {
    result = fn(activeScope()!);
  } catch (error) {
    engine.endScope();
    throw error;
  }
  engine.endScope(tensorsIn(result));
  return result;
}
