import type { Variable } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { type ParametrizeError, refusal } from '../../core/errors.ts';
import { isObject } from '../../core/guards.ts';
import { didYouMean, typeName } from '../../core/text.ts';
import { isLayer } from '../../engine/layer.ts';
import { isAlive, isVariable } from '../../engine/variable.ts';
import { isDisposed } from '../../nn/module/disposal.ts';
import { isModule, lookAt } from '../../nn/module/fields.ts';
import { checkProxied, UNWRAP } from '../../nn/module/heldVariables.ts';
import { checkIntegrity } from '../../nn/module/integrityCheck.ts';
import { Module } from '../../nn/module/module.ts';
import { rawOf } from '../../nn/module/rawOf.ts';
import type { Attachment } from '../chain/attachment.ts';
import { ParametrizationDict } from '../chain/parametrizationDict.ts';
import { registrationsOf } from '../chain/registry.ts';
import { addedHostKindOf, type FoundTensor, type HostKind } from './hostKind.ts';
import { dictOf, immutable, tensorAccessor } from './tensorAccessor.ts';

/** The kind of modules, and of other objects that hold variables in own properties. */
const objectHost: HostKind = {
  accepts: () => true,
  mainTensor: () => 'weight',
  check: checkHost,
  tensors: tensorsOf,
  add(caller, host, name): Attachment {
    checkHost(caller, host);
    checkName(caller, host, name);
    const fixed = Object.getOwnPropertyDescriptor(host, name)?.configurable === false;
    if (fixed || !isOpen(host)) throw immutable(caller, host, name);
    return tensorAccessor(host, name, { enumerable: true, writable: true });
  },
  find(caller, host, name): FoundTensor {
    checkHost(caller, host);
    checkName(caller, host, name);
    const descriptor = Object.getOwnPropertyDescriptor(host, name);
    if (descriptor === undefined) throw unknownTensor(caller, host, name);
    const variable: unknown = descriptor.value;
    if (!isVariable(variable)) throw notAVariable(caller, host, name, descriptor);
    checkProxied(`${caller}: ${typeName(host)}`, name, variable);
    if (!isAlive(variable)) {
      throw refusal(
        'DISPOSED',
        caller,
        `${typeName(host)}.${name} was disposed, by dispose() or tf.disposeVariables()`,
        'Make the host again.',
      );
    }
    if (Reflect.get(host, name) !== variable) {
      throw unsupported(
        caller,
        host,
        `It is behind a proxy that also wraps the tensors it hands out, which tfjs cannot compute with. ${UNWRAP}`,
      );
    }
    if (!descriptor.configurable || !isOpen(host)) throw immutable(caller, host, name);
    const { enumerable, writable } = descriptor;
    const attributes = { enumerable: enumerable === true, writable: writable === true };
    return { variable, attachment: tensorAccessor(host, name, attributes) };
  },
};

/** Returns the kind of a host. Its functions refuse values that are not objects. */
export const hostKindOf = (host: object): HostKind =>
  (isObject(host) ? addedHostKindOf(host) : undefined) ?? objectHost;

/** True if properties can be added to a host, and to its dictionary of chains. */
const isOpen = (host: object): boolean =>
  Object.isExtensible(host) && Object.isExtensible(dictOf(host) ?? host);

/**
 * Throws unless an object can hold a chain.
 *
 * @throws {@link ParametrizeError} `UNSUPPORTED_HOST`, `DISPOSED` or `TWO_COPIES`
 */
function checkHost(caller: string, host: object): void {
  if (!isObject(host)) {
    throw unsupported(caller, host, 'Pass a module or an object that holds a tf.Variable.');
  }
  if (host instanceof tf.Tensor || ArrayBuffer.isView(host) || Array.isArray(host)) {
    throw unsupported(caller, host, 'Pass the module or object that holds it, and its name there.');
  }
  if (isLayer(host)) {
    throw unsupported(
      caller,
      host,
      "For layers of @tensorflow/tfjs-layers add: import 'tfjs-parametrize/layers';",
    );
  }
  if ('executor' in host && 'modelUrl' in host) {
    throw unsupported(
      caller,
      host,
      'A GraphModel is frozen and has no variables to train; convert a LayersModel.',
    );
  }
  const parametrizations: unknown = Object.getOwnPropertyDescriptor(host, 'parametrizations')?.value;
  const strangeDict = isModule(parametrizations) && !(parametrizations instanceof ParametrizationDict);
  if (strangeDict || (isModule(host) && !(host instanceof Module))) {
    throw refusal(
      'TWO_COPIES',
      caller,
      `${typeName(host)} belongs to another copy of tfjs-parametrize`,
      'Install one copy only (npm ls tfjs-parametrize shows both).',
    );
  }
  if (parametrizations !== undefined && !(parametrizations instanceof ParametrizationDict)) {
    throw unsupported(caller, host, "It has a field 'parametrizations' of its own; rename it.");
  }
  if (isModule(host) && isDisposed(host)) {
    throw refusal('DISPOSED', caller, `this ${typeName(host)} has been disposed`, 'Make a new one.');
  }
  checkIntegrity(rawOf(host));
  if (isModule(host)) lookAt(rawOf(host));
}

function checkName(caller: string, host: object, name: string): void {
  const shadows = name in Object.prototype || (name in Module.prototype && name !== 'parametrizations');
  if (!shadows && !name.includes('.') && name !== '' && name !== 'training') return;
  const known = tensorNames(host);
  throw refusal(
    'INVALID_NAME',
    caller,
    `'${name}' cannot be the name of a parametrized tensor: it is empty, has a dot, or is a name that every object or module has`,
    `${typeName(host)} has: ${known.join(', ') || 'no tensors'}.`,
  );
}

/** Returns the tensors of a host: own variables and parametrized tensors. */
function tensorsOf(host: object): [name: string, variable: Variable | null][] {
  const registered = registrationsOf(host);
  return Object.getOwnPropertyNames(host).flatMap((name): [string, Variable | null][] => {
    if (registered.has(name)) return [[name, null]];
    const { value } = Object.getOwnPropertyDescriptor(host, name)!;
    return isVariable(value) ? [[name, value]] : [];
  });
}

const tensorNames = (host: object): string[] => tensorsOf(host).map(([name]) => name);

function unknownTensor(caller: string, host: object, name: string): ParametrizeError {
  const known = tensorNames(host);
  const own =
    known.length === 0 && isModule(host) && host.children().length > 0
      ? ofChildren(host, name)
      : ` It has: ${known.join(', ') || 'none'}.`;
  return refusal(
    'UNKNOWN_TENSOR',
    caller,
    `${typeName(host)} has no parameter or buffer '${name}'`,
    `${didYouMean(name, known)}${own}`,
  );
}

/** The remedy if a container is used as a layer. */
function ofChildren(host: Module, name: string): string {
  const modules = host.namedModules().filter(([path]) => path !== '' && !path.includes('parametrizations'));
  const fitting = modules.filter(([, module]) => tensorNames(module).includes(name));
  if (fitting.length === 0) {
    return ` It has no tensors of its own, and no module in it has a '${name}'. Its modules are: ${listed(modules)}.`;
  }
  return ` It has no tensors of its own. Pass a module in it: ${listed(fitting)}.`;
}

/** Lists at most six modules with their paths. */
function listed(modules: readonly [path: string, module: Module][]): string {
  const shown = modules.slice(0, 6).map(([path, module]) => `'${path}' (${typeName(module)})`);
  const rest = modules.length - shown.length;
  return rest > 0 ? `${shown.join(', ')} and ${rest} more` : shown.join(', ');
}

function notAVariable(
  caller: string,
  host: object,
  name: string,
  { value, get }: PropertyDescriptor,
): ParametrizeError {
  const path = `${typeName(host)}.${name}`;
  if (value === null || value === undefined) {
    const fact =
      get === undefined ? `is ${value}` : 'is a getter, not a field, as where MobX observes the object';
    return refusal(
      'UNKNOWN_TENSOR',
      caller,
      `${path} ${fact}, so there is nothing to parametrize`,
      `It has: ${tensorNames(host).join(', ') || 'none'}.${get === undefined ? '' : ` ${UNWRAP}`}`,
    );
  }
  const remedy =
    value instanceof tf.Tensor
      ? 'Wrap it: parameter(tensor), or tf.variable(tensor)'
      : `The tensors of ${typeName(host)} are: ${tensorNames(host).join(', ') || 'none'}`;
  return refusal('NOT_A_VARIABLE', caller, `${path} is ${typeName(value)}, not a tf.Variable`, `${remedy}.`);
}

const unsupported = (caller: string, host: unknown, remedy: string): ParametrizeError =>
  refusal('UNSUPPORTED_HOST', caller, `${typeName(host)} cannot be parametrized`, remedy);
