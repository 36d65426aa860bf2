import * as tf from '@tensorflow/tfjs-core';

/** True for a `tf.Variable`, also one of another copy of tfjs-core (tfjs itself recognises them by shape). */
export const isVariable = (value: unknown): value is tf.Variable =>
  typeof value === 'object' && value !== null && value instanceof tf.Variable;

/** The live registry of variables by name. */
const registered = (): Record<string, tf.Variable> => tf.engine().registeredVariables;

/**
 * True until the variable is disposed, also by `tf.disposeVariables()`, which frees the data and the registration but
 * leaves `isDisposed` false.
 */
export const isAlive = (variable: tf.Variable): boolean =>
  !variable.isDisposed && registered()[variable.name] === variable;

/** True for a living variable behind a proxy, such as those of Vue's `reactive`: tfjs cannot compute with it. */
export const isProxiedVariable = (variable: tf.Variable): boolean =>
  !variable.isDisposed && !isAlive(variable) && registered()[variable.name]?.id === variable.id;

/** Disposes a variable once. tfjs does not guard against a second time, which would free data that others share. */
export function disposeVariable(variable: tf.Variable): void {
  if (isAlive(variable)) variable.dispose();
}

let isDisposalGuarded = false;

/**
 * From now on `variable.dispose()` does nothing while the variable is in use. On the prototype, so that a read of a
 * variable costs nothing more; the first call counts.
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

/** `name`, or `name_1`, `name_2`, … if a variable of that name exists: tfjs refuses duplicates. */
function freeName(name: string): string {
  let free = name;
  for (let suffix = 1; registered()[free] !== undefined; suffix++) free = `${name}_${suffix}`;
  return free;
}

let areUnwrapped = false;

/**
 * From now on Vue's proxies hand out tensors as they are: this is how an object tells Vue to leave it alone, as
 * `markRaw` does. tfjs cannot compute with a tensor in a proxy.
 */
export function keepTensorsUnwrapped(): void {
  if (areUnwrapped) return;
  areUnwrapped = true;
  Object.defineProperty(tf.Tensor.prototype, '__v_skip', { value: true, configurable: true });
}

/**
 * Makes a variable that shares the data of `value` until either changes. The value stays its owner's.
 *
 * @param name - wished name; a suffix is appended if it is taken. Without one, tfjs numbers it.
 */
export function makeVariable(value: tf.Tensor, trainable: boolean, name?: string): tf.Variable {
  keepTensorsUnwrapped();
  return tf.variable(value, trainable, name === undefined ? undefined : freeName(name));
}

/** Gives a variable another name in tfjs's registry; optimizers and `variableGrads` know variables by name. */
export function renameVariable(variable: tf.Variable, name: string): void {
  if (variable.name === name) return;
  const free = freeName(name);
  const registry = registered();
  delete registry[variable.name];
  variable.name = free;
  registry[free] = variable;
}

/** The names of all variables, in the order of tfjs's registry, in which an optimizer without a list takes them. */
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

/** The variable of a name, if there is one now. */
export const variableNamed = (name: string): tf.Variable | undefined => registered()[name];

/**
 * True for a generated name, which another variable may have in another run of the program: the numbers of tfjs, also
 * `12/original0`, and names of layers such as `dense_Dense1/kernel`.
 */
export const isAutomaticName = (name: string): boolean => /^\d+(\/|$)|_[A-Z]\w*?\d+\//.test(name);
