import type { Variable } from '@tensorflow/tfjs-core';
import { type Copier, copyAccessorBy } from '../nn/module/copy.ts';
import { isModule } from '../nn/module/fields.ts';
import type { Attachment } from './host.ts';
import { ParametrizationDict } from './parametrizationDict.ts';
import type { ParametrizationList } from './parametrizationList.ts';
import { enterRegistration, markMade, registrationsOf } from './registry.ts';

/** The attributes that a data property had before a chain took its place. */
export type Attributes = Pick<PropertyDescriptor, 'enumerable' | 'writable'>;

/**
 * Turns a property of an object into the computed tensor and back.
 *
 * The accessor is not enumerable, because `tf.tidy` walks the enumerable properties of what it is handed and would
 * evaluate it; it is redefined in place and never deleted, so that the property keeps its place among the keys.
 */
export function tensorAccessor(host: object, name: string, attributes: Attributes): Attachment {
  return {
    install(list) {
      defineAccessor(host, name, list, (copy) => tensorAccessor(copy, name, attributes));
      const dict = dictOf(host) ?? addDict(host);
      Object.defineProperty(dict, name, { value: list, enumerable: true, configurable: true });
    },
    uninstall(_list, variable) {
      const dict = dictOf(host);
      if (dict !== undefined) {
        delete (dict as unknown as Record<string, unknown>)[name];
        if (!hasLists(host, dict)) delete (host as { parametrizations?: unknown }).parametrizations;
      }
      defineVariable(host, name, variable, attributes);
    },
  };
}

/** Makes a property a variable again, in its place among the keys. */
export function defineVariable(host: object, name: string, variable: Variable, attributes: Attributes): void {
  Object.defineProperty(host, name, { ...attributes, value: variable, configurable: true });
}

/**
 * Makes a property the computed tensor of a chain.
 *
 * @param attach - makes the attachment for the same property of a copy of the host
 */
export function defineAccessor(
  host: object,
  name: string,
  list: ParametrizationList,
  attach: (host: object) => Attachment,
): void {
  const get = () => list.chain.read();
  copyAccessorBy(get, (copy, key, copier) => copyAccessor(copy, key, list, attach, copier));
  Object.defineProperty(host, name, {
    get,
    set: (value: unknown) => list.chain.assign(value),
    enumerable: false,
    configurable: true,
  });
}

/** The dictionary of chains that stands on a host, if any does. */
function dictOf(host: object): ParametrizationDict | undefined {
  const value: unknown = Object.getOwnPropertyDescriptor(host, 'parametrizations')?.value;
  return value instanceof ParametrizationDict ? value : undefined;
}

/** True if a dictionary has chains; by the registrations, because fields are slow to look through when there are many. */
function hasLists(host: object, dict: ParametrizationDict): boolean {
  for (const name of registrationsOf(host).keys()) if (Object.hasOwn(dict, name)) return true;
  return false;
}

function addDict(host: object): ParametrizationDict {
  const dict = new ParametrizationDict();
  const training: unknown = (host as { training?: unknown }).training;
  if (typeof training === 'boolean') dict.training = training;
  // Enumerable on modules only, where children are the enumerable fields; a plain object keeps its keys.
  Object.defineProperty(host, 'parametrizations', {
    value: dict,
    enumerable: isModule(host),
    configurable: true,
  });
  return dict;
}

/** Makes the computed tensor of a copy of a host, with a copy of its chain. */
function copyAccessor(
  copy: object,
  name: string,
  source: ParametrizationList,
  attach: (host: object) => Attachment,
  copier: Copier,
): void {
  const list = copier.copy(source);
  const attachment = attach(copy);
  // Not `attachment.install`: the dictionary is copied as the field that it is, at its place among the others.
  defineAccessor(copy, name, list, attach);
  // The source's name is taken while the source lives; tfjs names the variable that removal may have to make.
  enterRegistration(copy, name, { list, attachment, variableName: undefined });
  // The copier made the maps of the copy, so that nobody but the copy can dispose of them.
  for (const { module } of list.chain.steps) if (module !== null) markMade(module);
}
