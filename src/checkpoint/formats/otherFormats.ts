import { CheckpointError } from '../checkpointError.ts';
import { numbersIn, part, type Reading } from '../source/reading.ts';
import { type FormatName, startsWith } from './format.ts';
import { looksLikeMsgpack, looksLikeOldPickle, protobufOf } from './otherContents.ts';
import { hasBrace, looksLikeSafetensors } from './safetensors/looksLikeSafetensors.ts';
import { looksLikePickle, looksLikeTorch } from './torch/looksLikeTorch.ts';

const ascii = (text: string): number[] => [...text].map((character) => character.charCodeAt(0));

/** The name of a kind of file, and the remedy. */
type Kind = readonly [what: string, remedy: string];

/** Other kinds of files by their magic numbers, with remedies. */
const others: readonly (readonly [bytes: readonly number[], ...kind: Kind])[] = [
  [
    ascii('version https://git-lfs'),
    'a Git LFS pointer, which stands for the file',
    'Run git lfs pull, or download the file itself.',
  ],
  [[0x1f, 0x8b], 'gzip', 'Decompress it.'],
  [ascii('BZh'), 'bzip2', 'Decompress it.'],
  [[0xfd, ...ascii('7zXZ')], 'xz', 'Decompress it.'],
  [[0x28, 0xb5, 0x2f, 0xfd], 'Zstandard', 'Decompress it.'],
  [[0x89, 0x50, 0x4e, 0x47], 'a PNG image', 'Pass the checkpoint.'],
  [
    [0x89, 0x48, 0x44, 0x46],
    'HDF5, as Keras saves',
    'Load it in Keras, and convert it with tensorflowjs_converter.',
  ],
  [[0x93, ...ascii('NUMPY')], 'a NumPy array', 'Write it with safetensors.numpy.save_file in Python.'],
  [ascii('GGUF'), 'GGUF, whose weights are quantized', 'Pass the safetensors file that it was made from.'],
  [
    ascii('<'),
    'HTML or XML, as servers answer when they do not send the file',
    'Look at it and check the address.',
  ],
];

const tflite: Kind = [
  'TensorFlow Lite, which is a graph',
  'Load it with @tensorflow/tfjs-tflite, or export the state dict.',
];

const protobufs = {
  onnx: ['ONNX, which is a graph', 'Save the state dict of the model that it was exported from.'],
  savedModel: ['a SavedModel of TensorFlow', 'Convert it with tensorflowjs_converter.'],
} as const;

const msgpack: Kind = [
  'msgpack, as Flax saves',
  'Restore it with flax.serialization, and write it with safetensors.flax.save_file.',
];

const oldPickle: Kind = [
  'a pickle of protocol 0 or 1, which torch.save does not write',
  'Load it in Python, and save its tensors with torch.save.',
];

/** The number of inspected bytes of a file in an unknown format. */
const looked = 4096;

/**
 * Makes the error for a file that does not have the wanted format. It names the kind of the file, by its content, and
 * the remedy.
 *
 * @param size - the number of bytes of the file
 * @param wanted - the only format of the caller; null if the caller reads all formats
 */
export function* notACheckpoint(size: number, wanted: FormatName | null): Reading<CheckpointError> {
  const start = yield* part(size, 0, Math.min(size, looked), () => 'the start');
  const end = yield* part(size, Math.max(size - 8, 0), Math.min(size, 8), () => 'the end');
  const what = wanted === null ? 'checkpoint' : `${wanted} file`;
  const [fact, remedy] = kindOf(start, end, size, wanted);
  return new CheckpointError('NOT_A_CHECKPOINT', `this is not a ${what}: ${fact}`, remedy);
}

const itIs = ([what, remedy]: Kind): Kind => [`it is ${what}`, remedy];

function kindOf(start: Uint8Array, end: Uint8Array, size: number, wanted: FormatName | null): Kind {
  if (size === 0) return ['it is empty', 'Get it again.'];
  if (startsWith(start.subarray(4), ascii('TFL3'))) return itIs(tflite);
  const other = others.find(([bytes]) => startsWith(start, bytes));
  if (other !== undefined) return itIs([other[1], other[2]]);
  if (start[0] === 0x7b) return itIs(jsonKind(new TextDecoder().decode(start)));
  if (startsWith(start.subarray(257), ascii('ustar')))
    return ['it is a tar archive', 'Extract the checkpoint from it.'];
  if (wanted === 'safetensors' && looksLikeTorch(start)) {
    return ['it looks like one of torch', 'Read it with readTorch or loadCheckpoint.'];
  }
  if (wanted === 'torch' && looksLikeSafetensors(start, size)) {
    return ['it is safetensors', 'Read it with readSafetensors or loadCheckpoint.'];
  }
  if (wanted === 'torch' && looksLikePickle(start)) {
    return ['it is a pickle that torch.save did not write', 'Save its tensors with torch.save.'];
  }
  const protobuf = hasBrace(start) ? null : protobufOf(start);
  if (protobuf !== null) return itIs(protobufs[protobuf]);
  if (looksLikeMsgpack(start)) return itIs(msgpack);
  if (looksLikeOldPickle(start, end)) return itIs(oldPickle);
  if (startsWith(end, [0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb])) {
    return [
      'it is the index of a checkpoint of TensorFlow',
      'Convert its model with tensorflowjs_converter.',
    ];
  }
  if (wanted === 'torch') return ['it is neither a zip archive nor a pickle', 'Get it again.'];
  if (wanted === null && !hasBrace(start)) {
    return ['it is neither safetensors, nor a zip archive or pickle of torch', 'Get it again.'];
  }
  if (size < 8) return [`it has ${size} bytes, a header has 8 at least`, 'Get it again.'];
  return hasBrace(start)
    ? [
        `its header would have ${numbersIn(start).getBigUint64(0, true)} bytes and the file has ${size}`,
        'Get it again.',
      ]
    : ['no header follows its first 8 bytes', 'Get it again.'];
}

/** Returns the kind of a JSON file by its first keys. */
function jsonKind(text: string): Kind {
  if (/"weight_map"\s*:/.test(text)) {
    return ['an index of shards', 'Pass its path or URL to loadCheckpoint, or read the files that it names.'];
  }
  if (/"(modelTopology|weightsManifest|layers-model|graph-model)"/.test(text)) {
    return ['a model of TensorFlow.js', 'Load it with tf.loadLayersModel or tf.loadGraphModel.'];
  }
  return ['JSON', 'Pass the file with the weights.'];
}
