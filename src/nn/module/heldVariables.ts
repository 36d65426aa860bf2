import * as tf from '@tensorflow/tfjs-core';
import { refusal } from '../../core/errors.ts';
import { formatShape } from '../../core/shapes.ts';
import { typeName } from '../../core/text.ts';
import { isAlive, isProxiedVariable, isVariable } from '../../engine/variable.ts';

/** The fields of one module that hold variables. Two arrays: the check before every call makes no pairs. */
interface Held {
  readonly names: string[];
  readonly variables: tf.Variable[];
  /** The index of each name, so that no change searches the arrays. */
  readonly indices: Map<string, number>;
}

/**
 * The variables that fields of modules held at the last inspection.
 *
 * Note [Assigned tensors]: a field is a data property, which is fast to read and simple to inspect. An assignment to it
 * runs no code. So the next use of the module finds the tensor instead of the variable, and copies it into the
 * variable.
 */
const held = new WeakMap<object, Held>();

/**
 * The modules that were made since the last run of {@link noteNewModules}. Their constructors and the program set their
 * fields later. The list has at most about twice as many entries as there are live modules.
 */
let newModules: WeakRef<object>[] = [];
let compactAt = 1024;

/** Notes a new module, which is about to get its fields. */
export function enterNewModule(module: object): void {
  newModules.push(new WeakRef(module));
  if (newModules.length < compactAt) return;
  newModules = newModules.filter((ref) => ref.deref() !== undefined);
  compactAt = Math.max(1024, 2 * newModules.length);
}

/** Notes the variables in the fields of the modules that were made since the last run. */
export function noteNewModules(): void {
  const refs = newModules;
  newModules = [];
  for (const ref of refs) {
    const module = ref.deref();
    if (module === undefined) continue;
    for (const name of Object.keys(module)) {
      const value: unknown = Object.getOwnPropertyDescriptor(module, name)?.value;
      if (isVariable(value) && !isProxiedVariable(value)) holdVariable(module, name, value);
    }
  }
}

/** The objects with fields that hold a variable, or once held it. */
const holders = new WeakMap<tf.Variable, WeakRef<object>[]>();

/**
 * Notes that a field holds a variable.
 *
 * @throws {@link ParametrizeError} `UNSUPPORTED_HOST` if the variable is behind a proxy
 */
export function holdVariable(owner: object, name: string, variable: tf.Variable): void {
  let fields = held.get(owner);
  let at = fields?.indices.get(name);
  if (at !== undefined && fields?.variables[at] === variable) return;
  checkProxied(typeName(owner), name, variable);
  if (fields === undefined) {
    fields = { names: [], variables: [], indices: new Map() };
    held.set(owner, fields);
  }
  at ??= fields.names.length;
  fields.names[at] = name;
  fields.variables[at] = variable;
  fields.indices.set(name, at);
  const refs = holders.get(variable);
  if (refs === undefined) holders.set(variable, [new WeakRef(owner)]);
  else if (!refs.some((ref) => ref.deref() === owner)) addHolder(refs, owner, variable);
}

/** Adds a holder. Whenever the number of holders has doubled, those that hold the variable no more leave the list. */
function addHolder(refs: WeakRef<object>[], owner: object, variable: tf.Variable): void {
  const { length } = refs;
  if (length >= 4 && (length & (length - 1)) === 0) {
    const left = refs.filter((ref) => holds(ref.deref(), variable));
    refs.splice(0, length, ...left);
  }
  refs.push(new WeakRef(owner));
}

const holds = (holder: object | undefined, variable: tf.Variable): boolean =>
  holder !== undefined && held.get(holder)!.names.some((field) => valueIn(holder, field) === variable);

/** The value of a field; undefined for a computed property. */
const valueIn = (holder: object, field: string): unknown =>
  Object.getOwnPropertyDescriptor(holder, field)?.value;

/**
 * Returns another field that holds a variable, if its module was inspected after it got the variable.
 *
 * @param counts - true for modules that count
 * @returns the module and the name of the field, or null if there is no such field
 */
export function otherHolder(
  variable: tf.Variable,
  owner: object,
  name: string,
  counts: (holder: object) => boolean,
): readonly [holder: object, field: string] | null {
  for (const ref of holders.get(variable) ?? []) {
    const holder = ref.deref();
    if (holder === undefined || !counts(holder)) continue;
    const { names, variables } = held.get(holder)!;
    const field = names.find(
      (field, i) =>
        variables[i] === variable &&
        !(holder === owner && field === name) &&
        valueIn(holder, field) === variable,
    );
    if (field !== undefined) return [holder, field];
  }
  return null;
}

/** Notes that a field becomes a computed property, which no check may evaluate. */
export function releaseField(owner: object, name: string): void {
  const fields = held.get(owner);
  const at = fields?.indices.get(name);
  if (fields === undefined || at === undefined) return;
  fields.indices.delete(name);
  const lastName = fields.names.pop()!;
  const lastVariable = fields.variables.pop()!;
  if (at === fields.names.length) return;
  fields.names[at] = lastName;
  fields.variables[at] = lastVariable;
  fields.indices.set(lastName, at);
}

/**
 * Copies tensors that were assigned to fields with variables into these variables, and puts the variables back. Any
 * other assigned value, such as another variable or null, stays.
 *
 * @throws {@link ParametrizeError} `SHAPE`, `DTYPE`, `DISPOSED`: the field holds its variable again, with its old value
 */
export function takeAssigned(owner: object): void {
  const fields = held.get(owner);
  if (fields === undefined) return;
  const { names, variables } = fields;
  for (let at = 0; at < names.length; at++) {
    const name = names[at]!;
    const stays = (owner as Record<string, unknown>)[name] === variables[at];
    // A field that is released leaves its index to the last one.
    if (!stays && !takeField(owner, name, variables[at]!)) at--;
  }
}

/** Returns false if the field holds a value that is not a tensor to copy. */
function takeField(owner: object, name: string, variable: tf.Variable): boolean {
  const descriptor = Object.getOwnPropertyDescriptor(owner, name);
  const value: unknown = descriptor?.value;
  if (value === variable) return true;
  if (!(value instanceof tf.Tensor) || isVariable(value)) {
    releaseField(owner, name);
    return false;
  }
  // The variable is put back even if the tensor does not fit. So the parameter is not lost, and the error is thrown
  // once.
  Object.defineProperty(owner, name, { ...descriptor, value: variable });
  checkFits(`assigning ${typeName(owner)}.${name}`, variable, value);
  variable.assign(value);
  return true;
}

/**
 * Puts the variables of a module back before its disposal, and drops the tensors that were assigned to their fields.
 */
export function dropAssigned(owner: object): void {
  const { names, variables } = held.get(owner) ?? { names: [], variables: [] };
  for (const [i, name] of names.entries()) {
    const variable = variables[i]!;
    const descriptor = Object.getOwnPropertyDescriptor(owner, name);
    const value: unknown = descriptor?.value;
    if (value instanceof tf.Tensor && !isVariable(value)) {
      Object.defineProperty(owner, name, { ...descriptor, value: variable });
    }
  }
}

/**
 * Refuses a variable behind a proxy. tfjs compares variables by identity, so it would not find the variable.
 *
 * @throws {@link ParametrizeError} `UNSUPPORTED_HOST`
 */
export function checkProxied(where: string, name: string, variable: tf.Variable): void {
  if (!isProxiedVariable(variable)) return;
  throw refusal(
    'UNSUPPORTED_HOST',
    where,
    `'${name}' is a variable behind a proxy, which tfjs can neither compute with nor train`,
    UNWRAP,
  );
}

/** The remedy for proxies that wrap the values they return. */
export const UNWRAP =
  'Keep it out of deep proxies (in Vue: markRaw(object) or shallowReactive(object); in MobX: observable.ref).';

function checkFits(caller: string, variable: tf.Variable, value: tf.Tensor): void {
  if (!isAlive(variable)) {
    throw refusal(
      'DISPOSED',
      caller,
      `its variable '${variable.name}' was disposed`,
      'Assign a new one: parameter(tensor).',
    );
  }
  if (value.isDisposed) {
    throw refusal(
      'DISPOSED',
      caller,
      `the tensor, of shape ${formatShape(value.shape)}, was disposed before the module was used, so that it could not be copied`,
      'Write it at once: variable.assign(tensor), or loadStateDict.',
    );
  }
  if (!tf.util.arraysEqual(value.shape, variable.shape)) {
    throw refusal(
      'SHAPE',
      caller,
      `the tensor has shape ${formatShape(value.shape)}, expected ${formatShape(variable.shape)}`,
      'To put another variable there, assign parameter(tensor) or buffer(tensor).',
    );
  }
  if (value.dtype !== variable.dtype) {
    throw refusal(
      'DTYPE',
      caller,
      `the tensor has dtype ${value.dtype}, expected ${variable.dtype}`,
      `Cast it: tf.cast(tensor, '${variable.dtype}').`,
    );
  }
}
