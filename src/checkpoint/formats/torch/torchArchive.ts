import { CheckpointError, corrupt, quoted } from '../../checkpointError.ts';
import { Budget } from '../../source/budget.ts';
import type { Reading } from '../../source/reading.ts';
import { elementSize } from '../../tensor/dtype.ts';
import type { ParsedCheckpoint } from '../parsedCheckpoint.ts';
import { namedTensors } from './namedTensors.ts';
import { PickleBytes } from './pickleBytes.ts';
import type { TorchStorage } from './torchTensor.ts';
import { brandStorage } from './torchTypes.ts';
import { torchWorld } from './torchWorld.ts';
import { packedFile } from './unpack.ts';
import { Unpickler } from './unpickle.ts';
import { readZipDirectory, type ZipEntry } from './zipDirectory.ts';

/**
 * Reads a file of `torch.save` since version 1.6: a zip archive with a pickle and one entry for each storage.
 *
 * @param checksCrc - true to verify the checksums of entries
 */
export function* parseTorchArchive(size: number, checksCrc: boolean): Reading<ParsedCheckpoint> {
  const entries = yield* readZipDirectory(size);
  const budget = new Budget(size);
  budget.chargeObjects(160 * entries.size, () => 'the archive');
  const folder = folderOf(entries);
  const file = (name: string) => {
    const entry = entries.get(folder + name);
    return entry === undefined ? undefined : packedFile(size, entry, budget, checksCrc);
  };
  const order = file('byteorder');
  if (order !== undefined) {
    const text = new TextDecoder().decode(yield* order.read(0, Math.min(order.size, 16)));
    if (text !== 'little') {
      throw new CheckpointError(
        'UNSUPPORTED',
        `the file has the byte order ${quoted(text)}; only little can be read`,
        'Save it on another machine.',
      );
    }
  }
  const pickle = file('data.pkl')!;
  const bytes = yield* pickle.read(0, pickle.size);
  const storages = new Map<string, TorchStorage>();
  const open = (key: string, dtype: string, length: number): TorchStorage => {
    const known = storages.get(key);
    if (known !== undefined) {
      if (known.dtype === dtype && known.size === length) return known;
      throw corrupt(`the storage ${quoted(key)} is of two types or sizes`);
    }
    budget.chargeObjects(256, () => 'the pickle');
    const packed = file(`data/${key}`);
    if (packed === undefined) throw corrupt(`the archive has no storage ${quoted(key)}`);
    if (packed.size !== length * elementSize(dtype)!) {
      throw corrupt(
        `the storage ${quoted(key)} states ${length} elements ${dtype} and has ${packed.size} bytes`,
      );
    }
    const storage = brandStorage({ key, dtype, size: length, read: packed.read });
    storages.set(key, storage);
    return storage;
  };
  const world = torchWorld({ open }, budget);
  const object = new Unpickler(new PickleBytes(bytes, 0, true), world, budget).run();
  const tensors = namedTensors(object, budget);
  const placeholders = [...world.placeholders];
  return { format: 'torch', metadata: Object.create(null), tensors, object, placeholders, budget };
}

/** Returns the folder of all entries of the archive, with its slash. */
function folderOf(entries: ReadonlyMap<string, ZipEntry>): string {
  const pickles = [...entries.keys()].filter((name) => /^(?:[^/\\]*\/)?data\.pkl$/.test(name));
  const [name, second] = pickles;
  if (name === undefined) {
    const has = (end: string): boolean => [...entries.keys()].some((entry) => entry.endsWith(end));
    const [kind, remedy] = has('.npy')
      ? [', of NumPy arrays (.npz)', 'Convert it to safetensors in Python.']
      : has('.weights.h5')
        ? [', as Keras 3 saves (.keras)', 'Load it in Keras, and convert it with tensorflowjs_converter.']
        : ['', 'Pass the file that torch.save wrote.'];
    throw new CheckpointError(
      'NOT_A_CHECKPOINT',
      `this is not a torch file: it is a zip archive without data.pkl${kind}`,
      remedy,
    );
  }
  if (second !== undefined) throw corrupt(`the archive has ${quoted(name)} and ${quoted(second)}`);
  const folder = name.slice(0, -'data.pkl'.length);
  if (entries.has(`${folder}constants.pkl`)) {
    throw new CheckpointError(
      'UNSUPPORTED',
      'this is a TorchScript archive, which is a program',
      'Save the state_dict() of the module in Python.',
    );
  }
  return folder;
}
