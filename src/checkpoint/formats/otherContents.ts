/** The wire types of the fields of ONNX's ModelProto: 0 for a number, 2 for bytes. */
const modelProto: Readonly<Record<number, 0 | 2>> = {
  1: 0,
  2: 2,
  3: 2,
  4: 2,
  5: 0,
  6: 2,
  7: 2,
  8: 2,
  14: 2,
  20: 2,
  25: 2,
};

/**
 * Returns the kind of a protocol buffer by the fields at its start: the version first, and then only fields of the
 * message. An ONNX model names its producer, or has its graph or operator sets. Version 1 with the message of a graph
 * is a SavedModel.
 */
export function protobufOf(start: Uint8Array): 'onnx' | 'savedModel' | null {
  const version = varint(start, 1);
  if (start[0] !== 0x08 || version === null || version.value > 64) return null;
  if (version.value === 1 && start[version.end] === 0x12) return 'savedModel';
  let count = 0;
  for (let at = version.end; at < start.length; count++) {
    const tag = varint(start, at);
    if (tag === null) break;
    const type = modelProto[tag.value >> 3];
    if (type === undefined || type !== (tag.value & 7)) return null;
    const value = varint(start, tag.end);
    if (value === null) break;
    at = type === 0 ? value.end : value.end + value.value;
  }
  return count > 0 ? 'onnx' : null;
}

/** Reads a base-128 number. Returns null if it does not end within the bytes, or is larger than any length. */
function varint(bytes: Uint8Array, start: number): { value: number; end: number } | null {
  let value = 0;
  for (let i = 0; i < 6; i++) {
    const byte = bytes[start + i];
    if (byte === undefined) return null;
    value += (byte & 0x7f) * 128 ** i;
    if (byte < 0x80) return { value, end: start + i + 1 };
  }
  return null;
}

/** True if a file begins like a non-empty map of msgpack with a text as its first key. */
export function looksLikeMsgpack(start: Uint8Array): boolean {
  const first = start[0]!;
  const isSmall = first > 0x80 && first <= 0x8f;
  const at = isSmall ? 1 : first === 0xde ? 3 : first === 0xdf ? 5 : 0;
  if (at === 0) return false;
  const head = start[at]!;
  const length = head >= 0xa1 && head <= 0xbf ? head & 0x1f : head === 0xd9 ? start[at + 1]! : 0;
  const begin = at + (head === 0xd9 ? 2 : 1);
  const key = start.subarray(begin, begin + length);
  const value = start[begin + length];
  // The format never uses 0xc1.
  return length > 0 && key.length === length && key.every(isText) && value !== undefined && value !== 0xc1;
}

const isText = (byte: number): boolean => byte >= 0x20 && byte !== 0x7f;

/**
 * True if a file is a pickle of protocol 0 or 1, which has no header: it begins with a container or a class and ends
 * with a stop.
 */
export function looksLikeOldPickle(start: Uint8Array, end: Uint8Array): boolean {
  if (end.at(-1) !== 0x2e) return false;
  const text = String.fromCharCode(...start.subarray(0, 200));
  return /^(?:\((?:[dlt]p?\d*\n|[dlt]q|c|S'|V|I|l|\()|[\]}]q|c[\w.]+\n\w+\n|\(i[\w.]+\n)/.test(text);
}
