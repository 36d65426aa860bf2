import type { Variable } from '@tensorflow/tfjs-core';
import { type ParametrizeError, refusal } from '../../core/errors.ts';
import { typeName } from '../../core/text.ts';
import { type Copier, copyAccessorBy } from '../../nn/module/copy.ts';
import { isModule } from '../../nn/module/fields.ts';
import { holdVariable, releaseField } from '../../nn/module/heldVariables.ts';
import { rawOf } from '../../nn/module/rawOf.ts';
import type { Attachment } from '../chain/attachment.ts';
import { giveCopies } from '../chain/giveCopies.ts';
import { ParametrizationDict } from '../chain/parametrizationDict.ts';
import { ParametrizationList } from '../chain/parametrizationList.ts';
import { enterRegistration } from '../chain/registry.ts';
import { keepKeyOrder, undoable } from '../transaction.ts';

/** A property that a chain computes. */
interface Computed {
  readonly list: ParametrizationList;
  /** Makes the attachment for the same property of a copy of the host. */
  readonly attach: (host: object) => Attachment;
  /** True if the dictionary of the host has the chain. */
  readonly isListed: boolean;
}

/** The tensors with chains in the dictionary of a host. They are counted here, because a search takes time. */
const listedOn = new WeakMap<object, Set<string>>();

/** The attributes of a data property before a chain replaced it. */
export type Attributes = Pick<PropertyDescriptor, 'enumerable' | 'writable'>;

/**
 * Turns a property of an object into the computed tensor and back.
 *
 * The accessor is not enumerable, because `tf.tidy` walks the enumerable properties of a result and would evaluate it.
 * It is redefined in place and never deleted, so the property keeps its position among the keys.
 */
export function tensorAccessor(host: object, name: string, attributes: Attributes): Attachment {
  return {
    checkUninstall(caller) {
      checkConfigurable(caller, host, [name, 'parametrizations']);
      const dict = dictOf(host);
      if (dict !== undefined) checkConfigurable(caller, dict, [name]);
    },
    install(list) {
      const attach = (copy: object): Attachment => tensorAccessor(copy, name, attributes);
      defineAccessor(host, name, { list, attach, isListed: true });
      const dict = dictOf(host) ?? addDict(host);
      listIn(dict, name, list);
    },
    uninstall(list, variable) {
      const dict = dictOf(host);
      const accessor = Object.getOwnPropertyDescriptor(host, name)!;
      undoable(() => {
        if (dict !== undefined) {
          if (dictOf(host) === undefined) showDict(host, dict);
          listIn(dict, name, list);
          noteListed(host, name);
        }
        releaseField(rawOf(host), name);
        Object.defineProperty(host, name, accessor);
      });
      if (dict !== undefined) {
        keepKeyOrder(host);
        keepKeyOrder(dict);
        delete (dict as unknown as Record<string, unknown>)[name];
        listedOn.get(rawOf(host))?.delete(name);
        if (!listedOn.get(rawOf(host))?.size)
          delete (host as { parametrizations?: unknown }).parametrizations;
      }
      defineVariable(host, name, variable, attributes);
    },
  };
}

/** Makes a property a variable again, at its position among the keys. */
export function defineVariable(host: object, name: string, variable: Variable, attributes: Attributes): void {
  Object.defineProperty(host, name, { ...attributes, value: variable, configurable: true });
  if (isModule(host)) holdVariable(rawOf(host), name, variable);
}

/** Makes a property the computed tensor of a chain. */
export function defineAccessor(host: object, name: string, computed: Computed): void {
  const { list } = computed;
  const get = () => list.read();
  copyAccessorBy(get, (copy, key, copier) => copyAccessor(copy, key, computed, copier));
  if (computed.isListed) {
    noteListed(host, name);
  }
  releaseField(rawOf(host), name);
  Object.defineProperty(host, name, {
    get,
    set: (value: unknown) => list.assign(value),
    enumerable: false,
    configurable: true,
  });
}

/**
 * Throws if one of these properties exists and can be neither redefined nor deleted.
 *
 * @throws {@link ParametrizeError} `IMMUTABLE_HOST`
 */
export function checkConfigurable(caller: string, object: object, names: readonly string[]): void {
  const fixed = names.find((name) => Object.getOwnPropertyDescriptor(object, name)?.configurable === false);
  if (fixed !== undefined) throw immutable(caller, object, fixed, 'Remove before Object.freeze.');
}

/** The error for an object that was frozen, sealed or made non-extensible. */
export const immutable = (
  caller: string,
  host: object,
  name: string,
  remedy = 'Register before Object.freeze.',
): ParametrizeError =>
  refusal(
    'IMMUTABLE_HOST',
    caller,
    `the property '${name}' of ${typeName(host)} cannot be redefined: the object is frozen, sealed or not extensible`,
    remedy,
  );

/** Returns the dictionary of chains of a host, or undefined. */
export function dictOf(host: object): ParametrizationDict | undefined {
  const value: unknown = Object.getOwnPropertyDescriptor(host, 'parametrizations')?.value;
  return value instanceof ParametrizationDict ? value : undefined;
}

const listIn = (dict: ParametrizationDict, name: string, list: ParametrizationList): object =>
  Object.defineProperty(dict, name, { value: list, enumerable: true, configurable: true });

function noteListed(host: object, name: string): void {
  const names = listedOn.get(rawOf(host)) ?? new Set();
  listedOn.set(rawOf(host), names.add(name));
}

function addDict(host: object): ParametrizationDict {
  const dict = new ParametrizationDict();
  const training: unknown = (host as { training?: unknown }).training;
  if (typeof training === 'boolean') dict.training = training;
  return showDict(host, dict);
}

function showDict(host: object, dict: ParametrizationDict): ParametrizationDict {
  // The dictionary is enumerable on modules only, where children are enumerable fields. A plain object keeps its keys.
  Object.defineProperty(host, 'parametrizations', {
    value: dict,
    enumerable: isModule(host),
    configurable: true,
  });
  return dict;
}

/** Makes the computed tensor of a copy of a host, with a copy of its chain. */
function copyAccessor(copy: object, name: string, source: Computed, copier: Copier): void {
  const list = copier.copy(source.list);
  const attachment = source.attach(copy);
  // `attachment.install` is not used, because the dictionary is copied as an ordinary field at its position.
  defineAccessor(copy, name, { ...source, list });
  // The name is taken while the source lives, so tfjs names a variable that removal may make.
  enterRegistration(copy, name, { list, attachment, variableName: undefined });
  const isOwn = (holder: object, key: unknown): boolean =>
    holder instanceof ParametrizationList ||
    (holder === copy && attachment.fields?.includes(key as string) === true);
  copier.whenDone(() => giveCopies(copier, list.steps, isOwn));
}
