import { unzipSync, zipSync } from 'fflate';

/** Pseudo-random whole numbers: the same for the same seed. */
export function randomNumbers(seed: number): (below: number) => number {
  let state = seed >>> 0;
  // mulberry32
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let value = Math.imul(state ^ (state >>> 15), state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return Math.floor((((value ^ (value >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

/** Numbers that lengths, counts and offsets go wrong at. */
const edges = [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff];

/** Bytes that mean something to pickles, archives and JSON. */
const meaningful = [...'(.0123456789:{}[]",\\-eENJKMGXQRbc]ae}sutqrhj'].map((character) =>
  character.charCodeAt(0),
);

/**
 * A damaged copy of a file. Damage to the container alone would hardly ever reach what is in it: half of the mutants are
 * damaged inside, and sound around it.
 */
export function mutant(bytes: Uint8Array, other: Uint8Array, random: (below: number) => number): Uint8Array {
  if (random(2) === 0) return damaged(bytes, other, random);
  if (bytes[0] === 0x50) {
    const entries: Record<string, Uint8Array> = unzipSync(bytes);
    const name = Object.keys(entries).find((entry) => entry.endsWith('data.pkl'))!;
    entries[name] = damaged(entries[name]!, other, random);
    return zipSync(entries, { level: random(2) === 0 ? 0 : 6 });
  }
  if (bytes[0] === 0x80) return damaged(bytes, other, random);
  const end = 8 + Number(new DataView(bytes.buffer).getBigUint64(0, true));
  const header = damaged(bytes.slice(8, end), other, random);
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(header.length), true);
  return joined(length, header, bytes.subarray(end));
}

/** One to four of the things that happen to files, or are done to them. */
function damaged(bytes: Uint8Array, other: Uint8Array, random: (below: number) => number): Uint8Array {
  let copy: Uint8Array = bytes.slice();
  for (let rounds = 1 + random(4); rounds > 0 && copy.length > 0; rounds--) {
    const at = random(copy.length);
    const length = 1 + random(Math.min(64, copy.length - at));
    switch (random(9)) {
      case 0:
        copy[at]! ^= 1 << random(8);
        break;
      case 1:
        copy[at] = random(256);
        break;
      case 2:
        copy[at] = meaningful[random(meaningful.length)]!;
        break;
      case 3: {
        const width = [1, 2, 4, 8][random(4)]!;
        let value = BigInt(edges[random(edges.length)]!) << BigInt(random(4) === 0 ? 31 : 0);
        for (let i = 0; i < width && at + i < copy.length; i++, value >>= 8n)
          copy[at + i] = Number(value & 0xffn);
        break;
      }
      case 4:
        copy = copy.slice(0, at);
        break;
      case 5:
        copy = joined(copy.subarray(0, at), copy.subarray(at + length));
        break;
      case 6:
        copy = joined(copy.subarray(0, at), copy.subarray(at, at + length), copy.subarray(at));
        break;
      case 7: {
        const from = random(other.length);
        copy = joined(copy.subarray(0, at), other.subarray(from, from + length), copy.subarray(at));
        break;
      }
      default: {
        const to = random(copy.length);
        copy.copyWithin(to, at, at + length);
      }
    }
  }
  return copy;
}

function joined(...pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((size, { length }) => size + length, 0));
  let offset = 0;
  for (const piece of pieces) {
    whole.set(piece, offset);
    offset += piece.length;
  }
  return whole;
}
