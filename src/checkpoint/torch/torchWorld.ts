import { CheckpointError, corrupt, quoted } from '../checkpointError.ts';
import { elementSize } from '../file/dtype.ts';
import type { Budget } from '../source/budget.ts';
import { RefusedTensor, type TorchStorage, TorchTensor } from './torchTensor.ts';
import { PickleFunction, type PickleWorld } from './unpickle.ts';

/** One of torch's storage classes, as a name. */
class StorageType {
  readonly dtype: string;

  constructor(dtype: string) {
    this.dtype = dtype;
  }
}

const storageTypes: ReadonlyMap<string, string> = new Map([
  ['Double', 'F64'],
  ['Float', 'F32'],
  ['Half', 'F16'],
  ['BFloat16', 'BF16'],
  ['Long', 'I64'],
  ['Int', 'I32'],
  ['Short', 'I16'],
  ['Char', 'I8'],
  ['Byte', 'U8'],
  ['Bool', 'BOOL'],
  ['ComplexFloat', 'C64'],
  ['ComplexDouble', 'C128'],
  // Their tensors are refused; the storages are as large as these.
  ['QInt8', 'I8'],
  ['QUInt8', 'U8'],
  ['QInt32', 'I32'],
]);

const dtypes: ReadonlyMap<string, string> = new Map([
  ['torch.float64', 'F64'],
  ['torch.float32', 'F32'],
  ['torch.float16', 'F16'],
  ['torch.bfloat16', 'BF16'],
  ['torch.int64', 'I64'],
  ['torch.int32', 'I32'],
  ['torch.int16', 'I16'],
  ['torch.int8', 'I8'],
  ['torch.uint64', 'U64'],
  ['torch.uint32', 'U32'],
  ['torch.uint16', 'U16'],
  ['torch.uint8', 'U8'],
  ['torch.bool', 'BOOL'],
  ['torch.complex32', 'C32'],
  ['torch.complex64', 'C64'],
  ['torch.complex128', 'C128'],
  ['torch.float8_e4m3fn', 'F8_E4M3'],
  ['torch.float8_e5m2', 'F8_E5M2'],
  ['torch.float8_e4m3fnuz', 'F8_E4M3FNUZ'],
  ['torch.float8_e5m2fnuz', 'F8_E5M2FNUZ'],
]);

/** Further names that are only mentioned: they stand for themselves. */
const words = [
  'per_tensor_affine',
  'per_channel_affine',
  'strided',
  'sparse_coo',
  'sparse_csr',
  'contiguous_format',
];

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

const isCounts = (value: unknown): value is number[] => Array.isArray(value) && value.every(isCount);

/** Where the elements of storages are: each container has them elsewhere. */
export interface Storages {
  /**
   * @param size - elements
   * @param view - the part of a larger storage that it is, as files of the oldest versions have it
   * @throws {@link CheckpointError} `CORRUPT` if there is no such storage, or it has another size
   */
  open(key: string, dtype: string, size: number, view: unknown): TorchStorage;
}

/**
 * What pickles of torch may refer to: the functions that place a tensor in a storage, the names of storage and element types,
 * and the classes of plain data in Python's library. Nothing else has a meaning.
 */
export function torchWorld(storages: Storages, budget: Budget): PickleWorld {
  const known = new Map<string, unknown>();
  const define = (name: string, call: (args: readonly unknown[]) => unknown): void =>
    void known.set(name, new PickleFunction(name, call));

  for (const [type, dtype] of storageTypes) {
    for (const module of ['torch', 'torch.cuda'])
      known.set(`${module}.${type}Storage`, new StorageType(dtype));
  }
  for (const module of ['torch', 'torch.storage'])
    known.set(`${module}.UntypedStorage`, new StorageType('U8'));
  for (const word of [...dtypes.keys(), ...words.map((name) => `torch.${name}`)]) known.set(word, word);

  const layoutOf = ([, offset, shape, stride]: readonly unknown[]) => {
    const isRank = (value: unknown): value is number[] => isCounts(value) && value.length <= 64;
    if (!isCount(offset) || !isRank(shape) || !isRank(stride) || shape.length !== stride.length) {
      throw corrupt('a tensor is not placed by an offset, a shape and strides');
    }
    budget.chargeObjects(240 + 16 * shape.length, () => 'the pickle');
    return { offset, shape: [...shape], stride: [...stride] };
  };
  const storageIn = ([storage]: readonly unknown[]): TorchStorage => {
    if (!isStorage(storage)) throw corrupt('a tensor is not placed in a storage');
    return storage;
  };
  define('torch._utils._rebuild_tensor', (args) => {
    const storage = storageIn(args);
    return new TorchTensor(storage, layoutOf(args), storage.dtype, false, budget);
  });
  define('torch._utils._rebuild_tensor_v2', (args) => {
    const storage = storageIn(args);
    checkHooks(args[5]);
    return new TorchTensor(storage, layoutOf(args), storage.dtype, args[4] === true, budget);
  });
  define('torch._utils._rebuild_tensor_v3', (args) => {
    const dtype = dtypes.get(String(args[6]));
    if (dtype === undefined) throw corrupt('a tensor has no element type');
    checkHooks(args[5]);
    return new TorchTensor(retyped(storageIn(args), dtype), layoutOf(args), dtype, args[4] === true, budget);
  });
  define('torch._utils._rebuild_parameter', ([data, requiresGrad, hooks]) => {
    checkHooks(hooks);
    if (data instanceof RefusedTensor) return data;
    if (!(data instanceof TorchTensor)) throw corrupt('a parameter has no tensor');
    return new TorchTensor(data.storage, data.layout, data.dtype, requiresGrad === true, budget);
  });
  define('torch._utils._rebuild_qtensor', () => new RefusedTensor('quantized'));
  define('torch._utils._rebuild_sparse_tensor', () => new RefusedTensor('sparse'));
  define('torch._utils._rebuild_sparse_csr_tensor', () => new RefusedTensor('sparse'));

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
  for (const module of ['builtins', '__builtin__']) {
    define(`${module}.set`, ([items]) => setOf(items, budget));
    define(`${module}.frozenset`, ([items]) => setOf(items, budget));
    // How protocol 2 writes no bytes, and those before 5 an array of them.
    define(`${module}.bytes`, (args) => bytesOf(args, budget));
    define(`${module}.bytearray`, (args) => bytesOf(args, budget));
  }
  // How protocol 2 writes bytes.
  define('_codecs.encode', (args) => bytesOf(args, budget));

  return {
    find: (name) => known.get(name),
    persistent(id) {
      const [word, type, key, , size, view] = Array.isArray(id) ? id : [];
      if (word !== 'storage' || typeof key !== 'string' || !isCount(size)) {
        throw corrupt('the pickle refers to an object that is no storage');
      }
      if (!(type instanceof StorageType)) throw corrupt(`the storage ${quoted(key)} has no type`);
      return storages.open(key, type.dtype, size, view ?? null);
    },
  };
}

const isStorage = (value: unknown): value is TorchStorage =>
  typeof value === 'object' && value !== null && storagesMade.has(value);

/** Storages by identity: what else comes out of a pickle is never taken for one. */
const storagesMade = new WeakSet<object>();

/** Marks what {@link Storages.open} returns. */
export function madeStorage(storage: TorchStorage): TorchStorage {
  storagesMade.add(storage);
  return storage;
}

/** Raw bytes as elements of a type. */
function retyped(storage: TorchStorage, dtype: string): TorchStorage {
  const bytes = storage.size * elementSize(storage.dtype)!;
  return { key: storage.key, dtype, size: Math.floor(bytes / elementSize(dtype)!), read: storage.read };
}

function checkHooks(hooks: unknown): void {
  if (hooks === null || (hooks instanceof Map && hooks.size === 0)) return;
  if (!(hooks instanceof Map)) throw corrupt('a tensor has no place for hooks');
  throw new CheckpointError('UNSAFE', 'a tensor has backward hooks, which are code. Save it without them.');
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

/** Bytes: none, those of an array, or those of a text by an encoding that has one byte for each character. */
function bytesOf([source, encoding]: readonly unknown[], budget: Budget): Uint8Array {
  if (source === undefined) return new Uint8Array(0);
  const isText = typeof source === 'string' && (encoding === 'latin1' || encoding === 'latin-1');
  if (!isText && !(source instanceof Uint8Array)) throw corrupt('bytes are not written as latin1');
  budget.chargeObjects(128 + source.length, () => 'the pickle');
  return typeof source === 'string'
    ? Uint8Array.from(source, (character) => character.charCodeAt(0))
    : source.slice();
}
