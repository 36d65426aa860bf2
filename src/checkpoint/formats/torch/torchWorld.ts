import { isCount } from '../../../core/guards.ts';
import { corrupt, quoted } from '../../checkpointError.ts';
import type { Budget } from '../../source/budget.ts';
import { isCodeName } from './codeNames.ts';
import { PythonObject, pythonObjectSize } from './pythonObject.ts';
import { rebuildFunctions } from './rebuildFunctions.ts';
import type { TorchStorage } from './torchTensor.ts';
import { dtypes, isCounts, StorageType, storageTypes } from './torchTypes.ts';
import { PickleFunction, type PickleWorld } from './unpickle.ts';

/** Further names that are only mentioned. Their value is the name. */
const words = [
  'per_tensor_affine',
  'per_channel_affine',
  'strided',
  'sparse_coo',
  'sparse_csr',
  'contiguous_format',
];

/** Finds the elements of storages, whose location depends on the container. */
export interface Storages {
  /**
   * @param size - elements
   * @param view - its part of a larger storage, as in files of the oldest versions
   * @throws {@link CheckpointError} `CORRUPT` if the storage does not exist or has another size
   */
  open(key: string, dtype: string, size: number, view: unknown): TorchStorage;
}

/** The world of a file of torch. */
export interface TorchWorld extends PickleWorld {
  /** The names of all unknown classes and functions so far. */
  readonly placeholders: ReadonlySet<string>;
}

/**
 * The names that pickles of torch may refer to: the functions that place a tensor in a storage, the names of storage
 * and element types, and the classes of plain data in Python's library. Any other class or function becomes a
 * {@link PythonObject}.
 */
export function torchWorld(storages: Storages, budget: Budget): TorchWorld {
  const known = new Map<string, unknown>(rebuildFunctions(budget));
  const strange = new Map<string, PythonObject>();
  const define = (name: string, call: (args: readonly unknown[]) => unknown): void =>
    void known.set(name, new PickleFunction(name, call));

  for (const [type, dtype] of storageTypes) {
    for (const module of ['torch', 'torch.cuda'])
      known.set(`${module}.${type}Storage`, new StorageType(dtype));
  }
  for (const module of ['torch', 'torch.storage'])
    known.set(`${module}.UntypedStorage`, new StorageType('U8'));
  for (const word of [...dtypes.keys(), ...words.map((name) => `torch.${name}`)]) known.set(word, word);

  define('torch.serialization._get_layout', ([name]) => name);
  define('torch.Size', ([sizes]) => {
    if (!isCounts(sizes)) throw corrupt('a size is no tuple of counts');
    return sizes;
  });
  define('torch.device', (parts) => {
    if (!parts.every((piece) => typeof piece === 'string' || isCount(piece)))
      throw corrupt('a device has no name');
    return parts.join(':');
  });
  define('collections.OrderedDict', ([items]) => dictOf(items, budget));
  define('collections.Counter', ([items]) => dictOf(items, budget));
  // The factory argument, which makes missing items, is not needed here.
  define('collections.defaultdict', ([, items]) => dictOf(items, budget));
  for (const module of ['builtins', '__builtin__']) {
    define(`${module}.set`, ([items]) => setOf(items, budget));
    define(`${module}.frozenset`, ([items]) => setOf(items, budget));
    // Protocol 2 writes empty bytes this way, and protocols before 5 write a bytearray this way.
    define(`${module}.bytes`, (args) => bytesOf(args, budget));
    define(`${module}.bytearray`, (args) => bytesOf(args, budget));
  }
  // Protocol 2 writes bytes this way.
  define('_codecs.encode', (args) => bytesOf(args, budget));

  return {
    get placeholders() {
      return new Set(strange.keys());
    },
    find(module, name) {
      const full = `${module}.${name}`;
      const found = known.get(full) ?? strange.get(full);
      if (found !== undefined || isCodeName(module, name)) return found;
      budget.chargeObjects(pythonObjectSize + 64 + 2 * full.length, () => 'the pickle');
      const placeholder = new PythonObject(full, null);
      strange.set(full, placeholder);
      return placeholder;
    },
    persistent(id) {
      const [word, type, key, , size, view] = Array.isArray(id) ? id : [];
      // Files before version 1.6 name the class of a module this way, with its source.
      if (word === 'module' && type instanceof PythonObject) return type;
      if (word !== 'storage' || typeof key !== 'string' || !isCount(size)) {
        throw corrupt('the pickle refers to an object that is no storage');
      }
      if (!(type instanceof StorageType)) throw corrupt(`the storage ${quoted(key)} has no type`);
      return storages.open(key, type.dtype, size, view ?? null);
    },
  };
}

function dictOf(items: unknown, budget: Budget): Map<unknown, unknown> {
  budget.chargeObjects(176, () => 'the pickle');
  if (items === undefined) return new Map();
  const pairs = items instanceof Map ? [...items] : items;
  const arePairs = Array.isArray(pairs) && pairs.every((pair) => Array.isArray(pair) && pair.length === 2);
  if (!arePairs) throw corrupt('a dict is made of what are no pairs');
  budget.chargeObjects(128 * pairs.length, () => 'the pickle');
  return new Map(pairs as [unknown, unknown][]);
}

function setOf(items: unknown, budget: Budget): Set<unknown> {
  budget.chargeObjects(176, () => 'the pickle');
  if (items === undefined) return new Set();
  if (!Array.isArray(items)) throw corrupt('a set is made of what is no list');
  budget.chargeObjects(64 * items.length, () => 'the pickle');
  return new Set(items);
}

/** Makes bytes: none, from an array, or from a text in an encoding with one byte for each character. */
function bytesOf([source, encoding]: readonly unknown[], budget: Budget): Uint8Array {
  if (source === undefined) return new Uint8Array(0);
  const isText = typeof source === 'string' && (encoding === 'latin1' || encoding === 'latin-1');
  if (!isText && !(source instanceof Uint8Array)) throw corrupt('bytes are not written as latin1');
  budget.chargeObjects(128 + source.length, () => 'the pickle');
  return typeof source === 'string'
    ? Uint8Array.from(source, (character) => character.charCodeAt(0))
    : source.slice();
}
