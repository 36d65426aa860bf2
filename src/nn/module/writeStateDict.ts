import type { Tensor } from '@tensorflow/tfjs-core';
import { checkChoice, checkOptions } from '../../core/checkOptions.ts';
import { alias, scoped } from '../../engine/scope.ts';
import { isVariable } from '../../engine/variable.ts';
import { type KeyFormat, keyFormats, type StateDictOptions } from '../stateDict/keyFormat.ts';
import { keyIn } from '../stateDict/stateKeys.ts';
import { everyPath, fieldsOf, namedState } from './fields.ts';
import type { StateDict } from './hooks.ts';
import type { Module } from './module.ts';
import { HOLDS_COMPUTATIONS, type NormalizedTensor, normalizedTensors } from './normalizedTensor.ts';
import { isBuffer } from './parameter.ts';

type Entry = readonly [key: string, value: Tensor];

/**
 * Returns the state dict in torch's order: own parameters, own buffers, children. It is in one key format if the
 * options name one.
 *
 * @remarks
 * **Ownership**: live variables; for `folded`, new tensors that belong to the caller.
 *
 * @throws {@link ParametrizeError} `OPTION` for a key format or an option that does not exist
 */
export function writeStateDict(module: Module, options: StateDictOptions): StateDict {
  checkOptions('stateDict', options, ['keyFormat']);
  const { keyFormat } = options;
  if (keyFormat === undefined) return Object.fromEntries(namedState(module));
  checkChoice('stateDict', 'keyFormat', keyFormat, keyFormats);
  everyPath(module); // throws for a module that is below itself
  return scoped('stateDict', () => {
    const entries = entriesOf(module, '', keyFormat);
    return Object.fromEntries(
      keyFormat === 'folded' ? entries.map(([key, value]): Entry => [key, alias(value)]) : entries,
    );
  });
}

function entriesOf(module: Module, prefix: string, keyFormat: KeyFormat): Entry[] {
  const tensors = normalizedTensors(module);
  const isOwn = (tensor: NormalizedTensor): boolean =>
    keyFormat === 'legacy' ? tensor.hookKeys !== null : keyFormat === 'folded';
  const own = [...ownFields(module, tensors, keyFormat), ...legacyFields(tensors, keyFormat)].map(
    ([name, value, buffer]) => ({ entry: [prefix + name, value] as Entry, buffer }),
  );
  const children = fieldsOf(module).children.flatMap(([name, child]) =>
    HOLDS_COMPUTATIONS in child ? [] : entriesOf(child, `${prefix}${name}.`, keyFormat),
  );
  const chains = tensors
    .filter((tensor) => !isOwn(tensor))
    .flatMap(({ list, name }) => entriesOf(list, `${prefix}parametrizations.${name}.`, keyFormat));
  return [
    ...own.filter(({ buffer }) => !buffer).map(({ entry }) => entry),
    ...own.filter(({ buffer }) => buffer).map(({ entry }) => entry),
    ...children,
    ...chains,
  ];
}

type Field = readonly [name: string, value: Tensor, isBuffer: boolean];

/** Returns the entries for the fields of the module itself, in their order. */
function ownFields(module: Module, tensors: readonly NormalizedTensor[], keyFormat: KeyFormat): Field[] {
  const ofChains = new Set(tensors.flatMap(({ state }) => state.map(([, variable]) => variable)));
  return Object.getOwnPropertyNames(module).flatMap((name): Field[] => {
    const tensor = tensors.find((candidate) => candidate.name === name);
    if (tensor !== undefined) {
      if (keyFormat !== 'folded') return [];
      return [[name, tensor.list.inspect(), isOfBuffers(tensor)]];
    }
    const { value, enumerable } = Object.getOwnPropertyDescriptor(module, name)!;
    return enumerable && isVariable(value) && !ofChains.has(value) ? [[name, value, isBuffer(value)]] : [];
  });
}

const isOfBuffers = ({ state }: NormalizedTensor): boolean =>
  state.length > 0 && state.every(([, variable]) => isBuffer(variable));

/** Returns the entries for the old names of normalized tensors, which come after all others, as in torch. */
function legacyFields(tensors: readonly NormalizedTensor[], keyFormat: KeyFormat): Field[] {
  if (keyFormat !== 'legacy') return [];
  return tensors
    .filter(({ hookKeys }) => hookKeys !== null)
    .flatMap((tensor) =>
      tensor.state.map(
        ([modern, variable]): Field => [keyIn(tensor, modern, true), variable, isBuffer(variable)],
      ),
    );
}
