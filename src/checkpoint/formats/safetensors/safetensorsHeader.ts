import { isCount, isRecord } from '../../../core/guards.ts';
import { sizeOf } from '../../../core/shapes.ts';
import { CheckpointError, corrupt, quoted } from '../../checkpointError.ts';
import { numbersIn, part, type Reading } from '../../source/reading.ts';
import { checkDType, type DType, elementBits, elementSize } from '../../tensor/dtype.ts';
import { startLength } from '../format.ts';
import { notACheckpoint } from '../otherFormats.ts';
import { hasBrace } from './looksLikeSafetensors.ts';
import { headerIn } from './safetensorsJson.ts';
import { type SafetensorsFile, SafetensorsTensor } from './safetensorsTensor.ts';
import { wantedSafetensors } from './wantedSafetensors.ts';

/** The header, which comes before the tensors. */
export interface SafetensorsHeader {
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: ReadonlyMap<string, SafetensorsTensor>;
}

// The limits of the format's reference implementation, and of torch.
const maxHeader = 100_000_000;
const maxRank = 64;

/**
 * Reads and checks a header: eight bytes of length, JSON, and after it the bytes of the tensors without gaps.
 *
 * @throws {@link CheckpointError} `NOT_A_CHECKPOINT`, `CORRUPT`
 */
export function* readHeader(file: SafetensorsFile): Reading<SafetensorsHeader> {
  const { size } = file;
  const start = yield* part(size, 0, Math.min(size, startLength), () => 'the start');
  const length = size < 8 ? 0n : numbersIn(start).getBigUint64(0, true);
  if (length < 2n || length > BigInt(Math.min(maxHeader, size - 8)) || !hasBrace(start)) {
    throw yield* notACheckpoint(size, wantedSafetensors);
  }
  const bytes = yield* part(size, 8, Number(length), () => 'the header');
  const header = headerIn(bytes);
  const first = 8 + Number(length);
  const tensors = new Map<string, SafetensorsTensor>();
  let metadata: Record<string, string> = Object.create(null);
  for (const name of Object.keys(header)) {
    const value: unknown = header[name];
    if (name === '__metadata__') metadata = metadataOf(value);
    else tensors.set(name, tensorOf(name, value, first, file));
  }
  checkPlaces(tensors, first, size);
  return { metadata, tensors };
}

function metadataOf(value: unknown): Record<string, string> {
  const metadata: Record<string, string> = Object.create(null);
  if (value === null) return metadata;
  if (!isRecord(value)) throw corrupt('__metadata__ is not an object');
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== 'string') throw corrupt(`the metadata ${quoted(key)} is not a text`);
    metadata[key] = text;
  }
  return metadata;
}

function tensorOf(name: string, value: unknown, first: number, file: SafetensorsFile): SafetensorsTensor {
  if (!isRecord(value)) throw corrupt(`the entry ${quoted(name)} is not an object`);
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== 'string') throw corrupt(`the tensor ${quoted(name)} has no type`);
  if (!Array.isArray(shape) || !shape.every(isCount) || shape.length > maxRank) {
    throw corrupt(`the shape of ${quoted(name)} is not a list of at most ${maxRank} counts`);
  }
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount)) {
    throw corrupt(`the data_offsets of ${quoted(name)} are not two counts`);
  }
  const [begin, end] = offsets as [number, number];
  const length = end - begin;
  const bits = elementBits(dtype);
  // The byte length of an unknown type cannot be checked. The tensor is refused when it is read.
  const isWrong = bits === undefined ? length < 0 : 8 * length !== bitsOf(name, shape, bits);
  if (isWrong)
    throw corrupt(`the tensor ${quoted(name)} has shape [${shape.join(', ')}], and ${length} bytes`);
  return new SafetensorsTensor(dtype, shape, first + begin, length, file);
}

/** Returns the number of bits of a tensor. A product above 2⁵³ is rounded, but stays larger than any file. */
function bitsOf(name: string, shape: readonly number[], each: number): number {
  let size = 1;
  for (const length of shape) {
    size *= length;
    if (size >= 2 ** 64) throw corrupt(`the tensor ${quoted(name)} has more elements than 64 bits count`);
  }
  return size * each;
}

/**
 * Checks that the tensors follow each other without gaps, from the header to the end, so that nothing hides in the
 * file.
 */
function checkPlaces(tensors: ReadonlyMap<string, SafetensorsTensor>, first: number, size: number): void {
  const names = [...tensors.keys()].sort((a, b) => {
    const [left, right] = [tensors.get(a)!, tensors.get(b)!];
    return left.offset - right.offset || left.length - right.length;
  });
  let next = first;
  for (const name of names) {
    const { offset, length } = tensors.get(name)!;
    if (offset !== next) {
      throw corrupt(
        `the bytes of the tensor ${quoted(name)} begin at ${offset - first}, where ${next - first} was expected`,
      );
    }
    next = offset + length;
  }
  if (next !== size) throw corrupt(`the tensors end at byte ${next}, the file has ${size}`);
}

/** The properties of a tensor that {@link headerFor} needs. */
export interface Described {
  readonly dtype: DType;
  readonly shape: readonly number[];
}

/**
 * Makes the header of a file with these tensors, and the order of their bytes: by element size, then by name, as in the
 * reference implementation. So every tensor is aligned, and equal maps make equal files.
 */
export function headerFor(
  tensors: ReadonlyMap<string, Described>,
  metadata: Readonly<Record<string, string>>,
): { header: Uint8Array; order: string[] } {
  for (const [name, { dtype }] of tensors) {
    checkDType(dtype, name);
    if (name === '__metadata__') {
      throw new CheckpointError(
        'OPTION',
        `the name ${quoted(name)} belongs to the format`,
        'Call the tensor something else.',
      );
    }
  }
  const sizeFor = (name: string): number => elementSize(tensors.get(name)!.dtype)!;
  const order = [...tensors.keys()].sort((a, b) => sizeFor(b) - sizeFor(a) || (a < b ? -1 : 1));
  const parts: string[] = [];
  const texts = Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1));
  if (texts.length > 0) parts.push(`"__metadata__":${jsonOf(texts)}`);
  let begin = 0;
  for (const name of order) {
    const { dtype, shape } = tensors.get(name)!;
    const end = begin + sizeOf(shape) * sizeFor(name);
    parts.push(`${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: [begin, end] })}`);
    begin = end;
  }
  const json = new TextEncoder().encode(`{${parts.join(',')}}`);
  const padded = Math.ceil(json.length / 8) * 8;
  if (padded > maxHeader) {
    throw new CheckpointError(
      'LIMIT',
      `the header would have ${padded} bytes, and readers of safetensors refuse more than ${maxHeader}`,
      'Write less metadata, shorter names, or several files.',
    );
  }
  const header = new Uint8Array(8 + padded).fill(0x20);
  numbersIn(header).setBigUint64(0, BigInt(padded), true);
  header.set(json, 8);
  return { header, order };
}

function jsonOf(entries: readonly (readonly [string, unknown])[]): string {
  for (const [key, text] of entries) {
    if (typeof text === 'string') continue;
    throw new CheckpointError(
      'OPTION',
      `the metadata ${quoted(key)} is not a text`,
      'Pass JSON.stringify(value).',
    );
  }
  return `{${entries.map((entry) => entry.map((text) => JSON.stringify(text)).join(':')).join(',')}}`;
}
