import type { DataType, Tensor, Variable } from '@tensorflow/tfjs-core';
import { patchMethod } from '../../core/patchMethod.ts';
import { joinPath } from '../../core/paths.ts';
import { fieldsOf } from '../../nn/module/fields.ts';
import { isBuffer } from '../../nn/module/parameter.ts';
import type { ParametrizationList } from '../../parametrize/chain/parametrizationList.ts';
import { registrationOf, registrationsOf } from '../../parametrize/chain/registry.ts';
import { hostKindOf } from '../../parametrize/host/objectHost.ts';
import { noteShown, shownTensors } from '../../parametrize/host/shownTensors.ts';
import { modelHosts } from '../select/modelHosts.ts';

/** A place in a model that can show another tensor for a while. */
export interface Replaceable {
  readonly owner: object;
  readonly shape: readonly number[];
  readonly dtype: DataType;
  /** The variable in the place; null for the value of a chain. */
  readonly variable: Variable | null;
  readonly isBuffer: boolean;
  /** Shows a tensor; `refuse` is called for assignments. Returns a function that undoes this. */
  show(tensor: Tensor, refuse: () => never): () => void;
}

/** Returns the places of a model, by the keys of their tensors. A shared module has several keys. */
export function replaceables(caller: string, model: object): Map<string, Replaceable> {
  const found = new Map<string, Replaceable>();
  for (const { host, kind, paths } of modelHosts(caller, model)) {
    const plain = [...kind.tensors(host), ...hiddenIn(host)];
    for (const [name, variable] of plain) {
      const list = registrationOf(host, name)?.list;
      const places: [string, Replaceable][] =
        list === undefined
          ? [[name, fieldOf(host, name, variable!)]]
          : [[name, chainOf(list)], ...placesIn(joinPath('parametrizations', name), list)];
      for (const path of paths) for (const [key, place] of places) found.set(joinPath(path, key), place);
    }
  }
  return found;
}

/** Returns the places of a chain and of the modules in it. */
const placesIn = (path: string, list: ParametrizationList): [key: string, Replaceable][] =>
  list
    .namedModules()
    .flatMap(([below, module]): [string, Replaceable][] => [
      ...[...fieldsOf(module).variables, ...hiddenIn(module)].map(
        ([name, variable]): [string, Replaceable] => [
          joinPath(path, below, name),
          fieldOf(module, name, variable),
        ],
      ),
      ...[...registrationsOf(module)].map(([name, { list: inner }]): [string, Replaceable] => [
        joinPath(path, below, name),
        chainOf(inner),
      ]),
    ]);

/** Returns the variables of a host that other tensors hide. */
const hiddenIn = (host: object): [name: string, variable: Variable][] =>
  [...shownTensors(host)].map(([name, { variable }]) => [name, variable]);

function chainOf(list: ParametrizationList): Replaceable {
  const { shape, dtype } = list;
  return {
    owner: list,
    shape,
    dtype,
    variable: null,
    isBuffer: false,
    show(tensor, refuse) {
      const restore = [
        patchMethod(list, 'read', () => () => tensor),
        patchMethod(list, 'inspect', () => () => tensor),
        patchMethod(list, 'assign', () => refuse),
      ];
      return () => {
        for (const undo of restore.reverse()) undo();
      };
    },
  };
}

function fieldOf(owner: object, name: string, variable: Variable): Replaceable {
  const { shape, dtype } = variable;
  const kind = hostKindOf(owner);
  const isBuffered = isBuffer(variable) || kind.isBuffer?.(owner, name) === true;
  return {
    owner,
    shape,
    dtype,
    variable,
    isBuffer: isBuffered,
    show(tensor, refuse) {
      const restore = kind.show?.(owner, name, tensor, refuse) ?? showInField(owner, name, tensor, refuse);
      const forget = noteShown(owner, name, { tensor, variable });
      return () => {
        forget();
        restore();
      };
    },
  };
}

function showInField(owner: object, name: string, tensor: Tensor, refuse: () => never): () => void {
  const before = Object.getOwnPropertyDescriptor(owner, name)!;
  // It is redefined and not deleted, so the property keeps its position. Enumerable, it would be a plain tensor in a
  // module, which is refused.
  Object.defineProperty(owner, name, {
    get: () => tensor,
    set: refuse,
    enumerable: false,
    configurable: true,
  });
  return () => void Object.defineProperty(owner, name, before);
}
