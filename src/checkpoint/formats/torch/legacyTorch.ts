import { isCount } from '../../../core/guards.ts';
import { CheckpointError, corrupt, quoted } from '../../checkpointError.ts';
import { Budget } from '../../source/budget.ts';
import { numbersIn, part, type Reading } from '../../source/reading.ts';
import { elementSize } from '../../tensor/dtype.ts';
import { notACheckpoint } from '../otherFormats.ts';
import type { ParsedCheckpoint } from '../parsedCheckpoint.ts';
import { namedTensors } from './namedTensors.ts';
import { MoreBytesNeeded, PickleBytes } from './pickleBytes.ts';
import type { TorchStorage } from './torchTensor.ts';
import { brandStorage } from './torchTypes.ts';
import { torchWorld } from './torchWorld.ts';
import { type PickleWorld, Unpickler } from './unpickle.ts';
import { wantedTorch } from './wantedTorch.ts';

/** The number in the first pickle of a file. */
const magic = 0x1950a86a20f9469cfc6cn;

/** A world with only plain data. */
const plain: PickleWorld = {
  find: () => undefined,
  persistent: () => {
    throw corrupt('the header refers to an object');
  },
};

/**
 * Reads a file of `torch.save` before version 1.6: three pickles of header, the object, the keys of the storages, and
 * then the storages, each after its length.
 */
export function* parseLegacyTorch(size: number): Reading<ParsedCheckpoint> {
  const budget = new Budget(size);
  const first = yield* pickleAt(size, 0, plain, budget);
  if (first.value !== magic) throw yield* notACheckpoint(size, wantedTorch);
  const version = yield* pickleAt(size, first.end, plain, budget);
  const system = yield* pickleAt(size, version.end, plain, budget);
  checkHeader(version.value, system.value);

  const places = new Map<string, number>();
  const storages = new Map<string, TorchStorage>();
  const open = (key: string, dtype: string, length: number, view: unknown): TorchStorage => {
    const known = storages.get(key);
    if (known !== undefined && (known.dtype !== dtype || known.size !== length)) {
      throw corrupt(`the storage ${quoted(key)} is of two types or sizes`);
    }
    if (known === undefined) budget.chargeObjects(256, () => 'the pickle');
    const storage = known ?? storageAt(size, places, key, dtype, length);
    storages.set(key, storage);
    return view === null ? storage : partOf(storage, view);
  };
  // The object may have to be read twice, because the offsets of its storages are known only after its end.
  const world = torchWorld({ open }, budget);
  const { value: object, end } = yield* pickleAt(size, system.end, world, budget, () => storages.clear());
  const keys = yield* pickleAt(size, end, plain, budget);
  yield* findPlaces(size, keys, storages, places);
  const tensors = namedTensors(object, budget);
  const placeholders = [...world.placeholders];
  return { format: 'torch', metadata: Object.create(null), tensors, object, placeholders, budget };
}

/**
 * Reads a pickle at an offset. Its end is unknown, so each attempt reads twice as much.
 *
 * @param again - undoes the notes of a world about an attempt
 */
function* pickleAt(
  size: number,
  start: number,
  world: PickleWorld,
  budget: Budget,
  again: () => void = () => {},
): Reading<{ value: unknown; end: number }> {
  for (let length = 64 * 1024; ; length *= 2) {
    const isWhole = start + length >= size;
    const bytes = yield* part(size, start, isWhole ? size - start : length, () => 'a pickle');
    const cursor = new PickleBytes(bytes, 0, isWhole);
    const forget = budget.attempt();
    try {
      const value = new Unpickler(cursor, world, budget).run();
      return { value, end: start + cursor.position };
    } catch (error) {
      if (!(error instanceof MoreBytesNeeded)) throw error;
      forget();
      again();
    }
  }
}

function checkHeader(version: unknown, system: unknown): void {
  if (version !== 1001) {
    throw new CheckpointError(
      'UNSUPPORTED',
      'the file has a version that no torch wrote; 1001 is the only one',
      'Save it again with torch.save.',
    );
  }
  if (!(system instanceof Map)) throw corrupt('the header does not tell of its system');
  if (system.get('little_endian') !== true) {
    throw new CheckpointError(
      'UNSUPPORTED',
      'the file has the byte order big; only little can be read',
      'Save it on another machine.',
    );
  }
}

function storageAt(
  size: number,
  places: ReadonlyMap<string, number>,
  key: string,
  dtype: string,
  length: number,
): TorchStorage {
  return brandStorage({
    key,
    dtype,
    size: length,
    read: (offset, bytes) => part(size, places.get(key)! + offset, bytes, () => `the storage ${quoted(key)}`),
  });
}

/** Returns a part of a storage as a storage. */
function partOf(storage: TorchStorage, view: unknown): TorchStorage {
  const [key, offset, length] = Array.isArray(view) ? view : [];
  if (typeof key !== 'string' || !isCount(offset) || !isCount(length) || offset + length > storage.size) {
    throw corrupt(`the storage ${quoted(storage.key)} has a view that does not lie within it`);
  }
  const first = offset * elementSize(storage.dtype)!;
  return brandStorage({
    key: `${storage.key}[${offset}:${offset + length}]`,
    dtype: storage.dtype,
    size: length,
    read: (start, bytes) => storage.read(first + start, bytes),
  });
}

/** Finds the offsets of the storages, which follow each other in the order of their keys. */
function* findPlaces(
  size: number,
  { value: keys, end }: { value: unknown; end: number },
  storages: ReadonlyMap<string, TorchStorage>,
  places: Map<string, number>,
): Reading<void> {
  if (!Array.isArray(keys)) throw corrupt('the storages have no keys');
  let offset = end;
  for (const key of keys) {
    const storage = typeof key === 'string' ? storages.get(key) : undefined;
    if (storage === undefined || places.has(key))
      throw corrupt('a storage belongs to no tensor, or is there twice');
    const stated = numbersIn(yield* part(size, offset, 8, () => `the length of ${quoted(key)}`)).getBigInt64(
      0,
      true,
    );
    if (stated !== BigInt(storage.size)) {
      throw corrupt(
        `the storage ${quoted(key)} has ${stated} elements, and its tensors state ${storage.size}`,
      );
    }
    places.set(key, offset + 8);
    offset += 8 + storage.size * elementSize(storage.dtype)!;
    if (offset > size)
      throw corrupt(`the storage ${quoted(key)} ends at byte ${offset}, the file has ${size}`);
  }
  const lost = [...storages.keys()].find((key) => !places.has(key));
  if (lost !== undefined) throw corrupt(`the file has no storage ${quoted(lost)}`);
}
