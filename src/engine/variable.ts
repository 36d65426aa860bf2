import * as tf from '@tensorflow/tfjs-core';

/** True for a `tf.Variable` of any copy of tfjs-core. tfjs recognises variables by their fields, too. */
export const isVariable = (value: unknown): value is tf.Variable =>
  typeof value === 'object' && value !== null && value instanceof tf.Variable;

/** The live registry of variables by name. */
const registered = (): Record<string, tf.Variable> => tf.engine().registeredVariables;

/**
 * True until the variable is disposed. `tf.disposeVariables()` frees the data and the registration but leaves
 * `isDisposed` false; this function returns false then.
 */
export const isAlive = (variable: tf.Variable): boolean =>
  !variable.isDisposed && registered()[variable.name] === variable;

/** True for a live variable behind a proxy, such as a proxy of Vue's `reactive`. tfjs cannot compute with it. */
export const isProxiedVariable = (variable: tf.Variable): boolean =>
  !variable.isDisposed && !isAlive(variable) && registered()[variable.name]?.id === variable.id;

/** Disposes a variable once. In tfjs, a second disposal would free data that other tensors share. */
export function disposeVariable(variable: tf.Variable): void {
  if (isAlive(variable)) variable.dispose();
}

let isDisposalGuarded = false;

/**
 * Makes `variable.dispose()` do nothing while the variable is in use. Only the first call has an effect. The wrapper is
 * on the prototype, so reads of variables stay as fast as before.
 */
export function guardDisposal(isInUse: (variable: tf.Variable) => boolean): void {
  if (isDisposalGuarded) return;
  isDisposalGuarded = true;
  const { prototype } = tf.Variable;
  const { dispose } = prototype;
  prototype.dispose = function (this: tf.Variable): void {
    if (!isInUse(this)) dispose.call(this);
  };
}

/** Returns `name`, or `name_1`, `name_2`, … if a variable has that name, because tfjs refuses duplicates. */
function freeName(name: string): string {
  let free = name;
  for (let suffix = 1; registered()[free] !== undefined; suffix++) free = `${name}_${suffix}`;
  return free;
}

let areUnwrapped = false;

/**
 * Marks all tensors for Vue as `markRaw` does, so that Vue's proxies return them unwrapped. tfjs cannot compute with a
 * tensor in a proxy.
 */
export function keepTensorsUnwrapped(): void {
  if (areUnwrapped) return;
  areUnwrapped = true;
  Object.defineProperty(tf.Tensor.prototype, '__v_skip', { value: true, configurable: true });
}

/**
 * Makes a variable that shares the data of `value` until one of them changes. The owner of `value` keeps it.
 *
 * @param name - the wished name, with a suffix if it is taken; without a name, tfjs numbers the variable
 */
export function makeVariable(value: tf.Tensor, trainable: boolean, name?: string): tf.Variable {
  keepTensorsUnwrapped();
  return tf.variable(value, trainable, name === undefined ? undefined : freeName(name));
}

/** Runs a function. If it throws, the variables that it has made are disposed: no caller got them. */
export function disposingOnFailure<T>(fn: () => T): T {
  const marker = tf.scalar(0);
  marker.dispose();
  try {
    return fn();
  } catch (error) {
    for (const variable of Object.values(registered())) {
      if (variable.id > marker.id) disposeVariable(variable);
    }
    throw error;
  }
}

/** Renames a variable in tfjs's registry. Optimizers and `variableGrads` find variables by name. */
export function renameVariable(variable: tf.Variable, name: string): void {
  if (variable.name === name) return;
  const free = freeName(name);
  const registry = registered();
  delete registry[variable.name];
  variable.name = free;
  registry[free] = variable;
}

/**
 * Returns the names of all variables in the order of tfjs's registry. An optimizer without a list trains them in this
 * order.
 */
export const variableNames = (): string[] => Object.keys(registered());

/** Puts the variables of these names in this order, before all others. */
export function orderVariables(names: readonly string[]): void {
  const registry = registered();
  const now = Object.entries(registry);
  if (names.every((name, i) => now[i]?.[0] === name)) return;
  const known = new Set(names);
  const ordered = [
    ...names.map((name) => [name, registry[name]] as const),
    ...now.filter(([name]) => !known.has(name)),
  ];
  for (const [name] of now) delete registry[name];
  for (const [name, variable] of ordered) if (variable !== undefined) registry[name] = variable;
}

/** Returns the variable of a name, or undefined. */
export const variableNamed = (name: string): tf.Variable | undefined => registered()[name];

/**
 * True for a generated name, which may belong to another variable in another run of the program: the numbers of tfjs,
 * names such as `12/original0`, and names of layers such as `dense_Dense1/kernel`.
 */
export const isAutomaticName = (name: string): boolean => /^\d+(\/|$)|_[A-Z]\w*?\d+\//.test(name);
