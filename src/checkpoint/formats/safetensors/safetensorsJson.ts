import { isRecord } from '../../../core/guards.ts';
import { corrupt, quoted } from '../../checkpointError.ts';

// The maximum depth of the reference implementation.
const deepest = 128;

/** The fields of a tensor that must not be repeated. */
const fields = ['dtype', 'shape', 'data_offsets'];

const bytes = {
  quote: 0x22,
  backslash: 0x5c,
  colon: 0x3a,
  openings: [0x7b, 0x5b],
  closings: [0x7d, 0x5d],
  // The characters that a whole number does not have: . e E -
  fractions: [0x2e, 0x65, 0x45, 0x2d],
};

/**
 * Parses the JSON of a header like the reference implementation, which allows white space around it. It refuses errors
 * that `JSON.parse` would hide: a repeated field, repeated metadata, and numbers in shapes and offsets that are not
 * written as whole numbers.
 *
 * @throws {@link CheckpointError} `CORRUPT`
 */
export function headerIn(header: Uint8Array): Readonly<Record<string, unknown>> {
  checkText(header);
  let value: unknown;
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(header);
    value = JSON.parse(text);
  } catch {
    // The error has no cause, because the message of the cause quotes the file.
    throw corrupt('the header is not JSON');
  }
  if (!isRecord(value)) throw corrupt('the header is not an object');
  for (const name of Object.keys(value)) {
    // A lone surrogate, which the texts of the reference implementation cannot have.
    if (/\p{Surrogate}/u.test(name)) throw corrupt(`the name ${quoted(name)} is no text`);
  }
  return value;
}

/**
 * Checks the text in one pass, before the objects that it describes are built. `JSON.parse` checks the syntax
 * afterwards.
 */
function checkText(header: Uint8Array): void {
  let depth = 0;
  let text: readonly [start: number, end: number] = [0, 0];
  let [tensor, field] = ['', ''];
  let hasMetadata = false;
  let seen = new Set<string>();
  for (let i = 0; i < header.length; i++) {
    const byte = header[i]!;
    if (byte === bytes.quote) {
      const end = endOfText(header, i + 1);
      text = [i + 1, end];
      i = end;
    } else if (byte === bytes.colon && depth === 1) {
      tensor = keyIn(header, text);
      seen = new Set();
      if (tensor !== '__metadata__') continue;
      if (hasMetadata) throw corrupt('__metadata__ is there twice');
      hasMetadata = true;
    } else if (byte === bytes.colon && depth === 2) {
      field = keyIn(header, text);
      if (tensor === '__metadata__' || !fields.includes(field)) continue;
      if (seen.has(field)) throw corrupt(`a tensor has the field ${quoted(field)} twice`);
      seen.add(field);
    } else if (bytes.openings.includes(byte)) {
      if (++depth > deepest) throw corrupt('the header is nested deeper than a header can be');
    } else if (bytes.closings.includes(byte)) {
      depth--;
    } else if (depth === 3 && bytes.fractions.includes(byte) && fields.includes(field)) {
      throw corrupt(`the field ${quoted(field)} of a tensor has a number that is not written as a count`);
    }
  }
}

/** Returns the index of the quotation mark that ends a text. */
function endOfText(header: Uint8Array, start: number): number {
  for (let i = start; i < header.length; i++) {
    if (header[i] === bytes.backslash) i++;
    else if (header[i] === bytes.quote) return i;
  }
  return header.length;
}

/** Returns a key, or the empty string for a key that is too long to have a meaning. */
function keyIn(header: Uint8Array, [start, end]: readonly [number, number]): string {
  // The length of the longest key if every character is escaped.
  if (end - start > 6 * '__metadata__'.length) return '';
  let key = '';
  for (let i = start; i < end; i++) key += String.fromCharCode(header[i]!);
  if (!key.includes('\\')) return key;
  try {
    return JSON.parse(`"${key}"`) as string;
  } catch {
    return '';
  }
}
