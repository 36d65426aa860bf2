import { isRecord } from '../../../core/guards.ts';
import { corrupt, quoted } from '../../checkpointError.ts';

// The depth that the reference implementation parses.
const deepest = 128;

/** The fields of a tensor that must not stand there twice. */
const fields = ['dtype', 'shape', 'data_offsets'];

const bytes = {
  quote: 0x22,
  backslash: 0x5c,
  colon: 0x3a,
  openings: [0x7b, 0x5b],
  closings: [0x7d, 0x5d],
  // What a whole number has not: . e E -
  fractions: [0x2e, 0x65, 0x45, 0x2d],
};

/**
 * The JSON of a header, as the reference implementation takes it: white space around it is allowed. What `JSON.parse`
 * would hide is refused: a field or the metadata given twice, numbers of shapes and offsets that are not written as
 * whole ones.
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
    // Without the cause: its message quotes the file.
    throw corrupt('the header is not JSON');
  }
  if (!isRecord(value)) throw corrupt('the header is not an object');
  for (const name of Object.keys(value)) {
    // Half of a character: the reference implementation has no such texts.
    if (/\p{Surrogate}/u.test(name)) throw corrupt(`the name ${quoted(name)} is no text`);
  }
  return value;
}

/** Walks over the text once, before anybody builds what it describes; that it is JSON, is checked after it. */
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

/** The index of the quotation mark that ends a text. */
function endOfText(header: Uint8Array, start: number): number {
  for (let i = start; i < header.length; i++) {
    if (header[i] === bytes.backslash) i++;
    else if (header[i] === bytes.quote) return i;
  }
  return header.length;
}

/** A key, where it is one that means something here; of a long one, nothing. */
function keyIn(header: Uint8Array, [start, end]: readonly [number, number]): string {
  // As long as the longest of them, if every character is written by its number.
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
