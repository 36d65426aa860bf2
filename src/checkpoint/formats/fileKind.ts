import { CheckpointError } from '../checkpointError.ts';
import { numbersIn } from '../source/reading.ts';

/** The kinds of files that can be read. */
export type FileKind = 'safetensors' | 'torch';

const ascii = (text: string): number[] => [...text].map((character) => character.charCodeAt(0));

const startsWith = (start: Uint8Array, bytes: readonly number[]): boolean =>
  bytes.every((byte, i) => start[i] === byte);

const onnx = 'ONNX, which is a graph. Export the state dict of the model instead';

/** Other kinds of files by how they begin, and what to do about them. */
const others: readonly (readonly [bytes: readonly number[], text: string])[] = [
  [
    ascii('version https://git-lfs'),
    'a Git LFS pointer, which stands for the file. Run git lfs pull, or download the file itself',
  ],
  [[0x1f, 0x8b], 'gzip. Decompress it'],
  [[0x89, 0x50, 0x4e, 0x47], 'a PNG image. Pass the checkpoint'],
  [[0x89, 0x48, 0x44, 0x46], 'HDF5, as Keras saves. Convert it'],
  [[0x93, ...ascii('NUMPY')], 'a NumPy array. Convert it'],
  [ascii('GGUF'), 'GGUF. Convert it'],
  [
    ascii('<'),
    'HTML or XML, as servers answer when they do not send the file. Look at it and check the address',
  ],
  [ascii('{'), 'JSON, as an index of shards is. Pass the files with the weights'],
  [[0x08, 0x07, 0x12], onnx],
  [[0x08, 0x08, 0x12], onnx],
  [[0x08, 0x09, 0x12], onnx],
  [[0x08, 0x0a, 0x12], onnx],
];

/** Whether a file is one of torch's, from its first bytes: a zip archive or a pickle. */
export const looksLikeTorch = (start: Uint8Array): boolean =>
  startsWith(start, [0x50, 0x4b, 3, 4]) || startsWith(start, [0x50, 0x4b, 5, 6]) || looksLikePickle(start);

/** Whether a file is a pickle of protocol 2 or later. */
export const looksLikePickle = (start: Uint8Array): boolean => start[0] === 0x80 && start[1]! >= 2;

/** Whether a file is safetensors: a length that the file can have, and a brace, after white space as JSON may have. */
export const looksLikeSafetensors = (start: Uint8Array, size: number): boolean =>
  hasBrace(start) && numbersIn(start).getBigUint64(0, true) <= BigInt(size - 8);

/** Whether an object of JSON may begin after the first eight bytes; of nothing but white space it is not known yet. */
export function hasBrace(start: Uint8Array): boolean {
  const first = start.subarray(8).find((byte) => ![0x20, 0x09, 0x0a, 0x0d].includes(byte));
  return start.length > 8 && (first === undefined || first === 0x7b);
}

/**
 * The error for a file that is not of the wanted kind, which says what it is.
 *
 * @param start - its first bytes
 * @param size - how many it has
 */
export function notACheckpoint(
  start: Uint8Array,
  size: number,
  wanted: FileKind | 'checkpoint',
): CheckpointError {
  const what = wanted === 'checkpoint' ? 'checkpoint' : `${wanted} file`;
  const text = (rest: string) => new CheckpointError('NOT_A_CHECKPOINT', `this is not a ${what}: ${rest}.`);
  if (size === 0) return text('it is empty. Get it again');
  if (startsWith(start.subarray(4), ascii('TFL3'))) return text('it is TensorFlow Lite. Pass the checkpoint');
  const other = others.find(([bytes]) => startsWith(start, bytes));
  if (other !== undefined) return text(`it is ${other[1]}`);
  if (wanted === 'safetensors' && looksLikeTorch(start)) {
    return text('it looks like one of torch. Read it with readTorch or loadCheckpoint');
  }
  if (wanted === 'torch' && looksLikeSafetensors(start, size)) {
    return text('it is safetensors. Read it with readSafetensors or loadCheckpoint');
  }
  if (wanted === 'torch' && looksLikePickle(start)) {
    return text('it is a pickle that torch.save did not write. Save its tensors with torch.save');
  }
  if (wanted === 'torch') return text('it is neither a zip archive nor a pickle. Get it again');
  if (wanted === 'checkpoint' && !hasBrace(start)) {
    return text('it is neither safetensors, nor a zip archive or pickle of torch. Get it again');
  }
  if (size < 8) return text(`it has ${size} bytes, a header has 8 at least. Get it again`);
  return text(
    hasBrace(start)
      ? `its header would have ${numbersIn(start).getBigUint64(0, true)} bytes and the file has ${size}. Get it again`
      : 'no header follows its first 8 bytes. Get it again',
  );
}
