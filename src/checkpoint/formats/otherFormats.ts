import { CheckpointError } from '../checkpointError.ts';
import { part, type Reading } from '../source/reading.ts';
import { looksLikeMsgpack, looksLikeOldPickle, protobufOf } from './otherContents.ts';
import { hasBrace } from './safetensors/looksLikeSafetensors.ts';

/** A fact about a file, and the remedy. */
type Kind = readonly [fact: string, remedy: string];

/** The format that a caller reads, with the messages of this caller about other files. */
export interface Wanted {
  /** The name of such a file: `torch file`. */
  readonly what: string;
  /** Returns the kind of a file that another function reads; null for any other file. */
  known?(start: Uint8Array, size: number): Kind | null;
  /** Returns the message about an unknown file. */
  unknown(start: Uint8Array, size: number): Kind;
}

const again = 'Get it again.';
const decompress = 'Decompress it.';
const convert = 'onvert it with tensorflowjs_converter.';

/** Other kinds of files by the characters at their start, one for each byte, or at an offset. */
const others: readonly (readonly [signature: string, what: string, remedy: string, offset?: number])[] = [
  [
    'TFL3',
    'TensorFlow Lite, which is a graph',
    'Load it with @tensorflow/tfjs-tflite, or export the state dict.',
    4,
  ],
  [
    'version https://git-lfs',
    'a Git LFS pointer, which stands for the file',
    'Run git lfs pull, or download the file itself.',
  ],
  ['\x1f\x8b', 'gzip', decompress],
  ['BZh', 'bzip2', decompress],
  ['\xfd7zXZ', 'xz', decompress],
  ['\x28\xb5\x2f\xfd', 'Zstandard', decompress],
  ['\x89PNG', 'a PNG image', 'Pass the checkpoint.'],
  ['\x89HDF', 'HDF5, as Keras saves', `Load it in Keras, and c${convert}`],
  ['\x93NUMPY', 'a NumPy array', 'Write it with safetensors.numpy.save_file in Python.'],
  ['GGUF', 'GGUF, whose weights are quantized', 'Pass the safetensors file that it was made from.'],
  ['<', 'HTML or XML, as servers answer when they do not send the file', 'Look at it and check the address.'],
  ['ustar', 'a tar archive', 'Extract the checkpoint from it.', 257],
];

/** The number of inspected bytes of a file in an unknown format. */
const looked = 4096;

const textOf = (bytes: Uint8Array): string => String.fromCharCode(...bytes);

/**
 * Makes the error for a file that does not have the wanted format. It names the kind of the file, by its content, and
 * the remedy.
 *
 * @param size - the number of bytes of the file
 */
export function* notACheckpoint(size: number, wanted: Wanted): Reading<CheckpointError> {
  const start = yield* part(size, 0, Math.min(size, looked), () => 'the start');
  const end = yield* part(size, Math.max(size - 8, 0), Math.min(size, 8), () => 'the end');
  const [fact, remedy] = kindOf(start, end, size, wanted);
  return new CheckpointError('NOT_A_CHECKPOINT', `this is not a ${wanted.what}: ${fact}`, remedy);
}

function kindOf(start: Uint8Array, end: Uint8Array, size: number, wanted: Wanted): Kind {
  if (size === 0) return ['it is empty', again];
  const text = textOf(start);
  const other = others.find(([signature, , , offset]) => text.startsWith(signature, offset));
  if (other !== undefined) return itIs(other[1], other[2]);
  if (text[0] === '{') return jsonKind(text);
  const known = wanted.known?.(start, size);
  if (known) return known;
  const protobuf = hasBrace(start) ? null : protobufOf(start);
  if (protobuf === 'onnx') {
    return itIs('ONNX, which is a graph', 'Save the state dict of the model that it was exported from.');
  }
  if (protobuf !== null) return itIs('a SavedModel of TensorFlow', `C${convert}`);
  if (looksLikeMsgpack(start)) {
    return itIs(
      'msgpack, as Flax saves',
      'Restore it with flax.serialization, and write it with safetensors.flax.save_file.',
    );
  }
  if (looksLikeOldPickle(start, end)) {
    return itIs(
      'a pickle of protocol 0 or 1, which torch.save does not write',
      'Load it in Python, and save its tensors with torch.save.',
    );
  }
  if (textOf(end) === '\x57\xfb\x80\x8b\x24\x75\x47\xdb') {
    return itIs('the index of a checkpoint of TensorFlow', 'Convert its model with tensorflowjs_converter.');
  }
  return wanted.unknown(start, size);
}

const itIs = (what: string, remedy: string): Kind => [`it is ${what}`, remedy];

/** Returns the kind of a JSON file by its first keys. */
function jsonKind(text: string): Kind {
  if (/"weight_map"\s*:/.test(text)) {
    return itIs(
      'an index of shards',
      'Pass its path or URL to loadCheckpoint, or read the files that it names.',
    );
  }
  if (/"(modelTopology|weightsManifest|layers-model|graph-model)"/.test(text)) {
    return itIs('a model of TensorFlow.js', 'Load it with tf.loadLayersModel or tf.loadGraphModel.');
  }
  return itIs('JSON', 'Pass the file with the weights.');
}
