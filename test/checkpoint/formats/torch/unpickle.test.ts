import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { namedTensors } from '../../../../src/checkpoint/formats/torch/namedTensors.ts';
import { MoreBytesNeeded, PickleBytes } from '../../../../src/checkpoint/formats/torch/pickleBytes.ts';
import { PythonObject } from '../../../../src/checkpoint/formats/torch/pythonObject.ts';
import { torchWorld } from '../../../../src/checkpoint/formats/torch/torchWorld.ts';
import { Unpickler } from '../../../../src/checkpoint/formats/torch/unpickle.ts';
import { Budget } from '../../../../src/checkpoint/source/budget.ts';

// Pickles that Python wrote; test/golden/generate_pickles.py says of what.
const golden = JSON.parse(
  readFileSync(new URL('../../../golden/pickles.json', import.meta.url), 'utf8'),
) as Record<string, Record<string, string>>;

function unpickle(bytes: Uint8Array, isWhole = true): unknown {
  const budget = new Budget(bytes.length);
  const open = (): never => {
    throw new Error('no storages here');
  };
  return new Unpickler(new PickleBytes(bytes, 0, isWhole), torchWorld({ open }, budget), budget).run();
}

/** A pickle from its instructions: characters and bytes. */
const program = (...parts: (string | number)[]): Uint8Array =>
  Uint8Array.from(
    parts.flatMap((part) => (typeof part === 'number' ? [part] : [...Buffer.from(part, 'utf8')])),
  );

const expected: Record<string, unknown> = {
  integers: [
    0,
    255,
    256,
    65535,
    65536,
    2 ** 31 - 1,
    -1,
    -(2 ** 31),
    2 ** 31,
    -(2 ** 40),
    2n ** 53n,
    -(2n ** 70n),
  ],
  floats: [0, -0, 1.5, 1e300, Infinity, -Infinity, Number.NaN],
  words: ['', 'a', 'ключ', '__proto__', 'x'.repeat(300)],
  constants: [null, true, false],
  bytes: [
    new Uint8Array(0),
    new Uint8Array([0, 255]),
    new Uint8Array(300).fill(121),
    new Uint8Array(0),
    new Uint8Array([1]),
  ],
  tuples: [[], [1], [1, 2], [1, 2, 3], [1, 2, 3, 4]],
  dicts: [
    new Map(),
    new Map<unknown, unknown>([
      ['a', 1],
      [2, 'b'],
      [null, 3],
    ]),
    new Map([
      ['z', 1],
      ['y', 2],
    ]),
  ],
  sets: [new Set([1, 2]), new Set([3])],
  shared: [
    [1, 2],
    [1, 2],
  ],
  long: [...Array(2500).keys()],
};

describe.each(['2', '3', '4', '5'])('a pickle of protocol %s', (protocol) => {
  const read = (name: string): unknown =>
    unpickle(new Uint8Array(Buffer.from(golden[name]![protocol]!, 'base64')));

  it.each(Object.keys(expected))('has the %s that Python wrote', (name) => {
    expect(read(name)).toEqual(expected[name]);
  });

  it('keeps one object one, and a circle a circle', () => {
    const [first, second] = read('shared') as [unknown, unknown];
    expect(first).toBe(second);
    const cycle = read('cycle') as Map<string, unknown>;
    expect(cycle.get('self')).toBe(cycle);
  });

  it('that is cut off anywhere is refused, or asks for more', () => {
    const bytes = new Uint8Array(Buffer.from(golden['dicts']![protocol]!, 'base64'));
    for (let length = 0; length < bytes.length; length++) {
      expect(() => unpickle(bytes.subarray(0, length)), String(length)).toThrow(
        expect.objectContaining({ code: 'CORRUPT' }),
      );
      expect(() => unpickle(bytes.subarray(0, length), false), String(length)).toThrow(MoreBytesNeeded);
    }
  });
});

describe('the machine', () => {
  it.each([
    ['an empty stack', program('.'), 'CORRUPT'],
    ['a mark that is not there', program('t.'), 'CORRUPT'],
    ['a memo that is not there', program('h', 7, '.'), 'CORRUPT'],
    ['a key without a value', program('}(K', 1, 'u.'), 'CORRUPT'],
    ['an item for what is no list', program('}K', 1, 'a.'), 'CORRUPT'],
    ['an entry for what is no dict', program(']K', 1, 'K', 1, 's.'), 'CORRUPT'],
    ['a call of a text', program('X', 1, 0, 0, 0, 'a)R.'), 'UNSAFE'],
    ['a call without a tuple', program('ccollections\nOrderedDict\nNR.'), 'CORRUPT'],
    ['a state for what is no dict', program(']}b.'), 'UNSAFE'],
    ['a state that is no dict', program('}]b.'), 'UNSAFE'],
    ['a name that is not a text', program('K', 1, 'K', 2, 0x93, '.'), 'CORRUPT'],
    ['text of protocol 0', program('I1\n.'), 'UNSUPPORTED'],
    ['an integer of 70,000 bytes', program(0x8b, 0x70, 0x11, 1, 0, 'a'.repeat(0x11170), '.'), 'LIMIT'],
    [
      'a tensor with no storage',
      program('ctorch._utils\n_rebuild_tensor_v2\n(NK', 0, '))', 0x89, '}tR.'),
      'CORRUPT',
    ],
    ['a name that only an attack has', program('cposix\nsystem\n.'), 'UNSAFE'],
    ['a state for a class', program('ca\nB\n}b.'), 'UNSAFE'],
    ['an object without arguments', program('ca\nB\nNR.'), 'CORRUPT'],
    ['an object with arguments that have no names', program('ca\nB\n)N', 0x92, '.'), 'CORRUPT'],
  ])('refuses %s', (_, bytes, code) => {
    expect(() => unpickle(bytes)).toThrow(expect.objectContaining({ name: 'CheckpointError', code }));
  });

  it.each([
    ['Object', 'prototype'],
    ['constructor', 'constructor'],
    ['__proto__', 'toString'],
    ['globalThis', 'eval'],
    ['process', 'exit'],
  ])('takes %s.%s for a name of Python, and calls nothing of JavaScript', (module, name) => {
    const object = unpickle(program(`c${module}\n${name}\n(X`, 1, 0, 0, 0, '1tR.'));
    expect(object).toBeInstanceOf(PythonObject);
    expect(object).toMatchObject({ name: `${module}.${name}`, args: ['1'], state: null });
  });

  it('notes what is called with a call, and with its result, without an end of it', () => {
    const steps = Array.from({ length: 2000 }, () => [')R'] as const).flat();
    expect(unpickle(program('ca\nB\n', ...steps, '.'))).toMatchObject({ name: 'a.B', args: [] });
  });

  it('stops objects that take more memory than the file justifies', () => {
    const call = program('h', 0, ')R0');
    const steps = new Uint8Array(60_000 * call.length);
    for (let at = 0; at < steps.length; at += call.length) steps.set(call, at);
    const bytes = Uint8Array.from([...program('ca\nB\nq', 0), ...steps, 0x2e]);
    expect(() => unpickle(bytes)).toThrow(expect.objectContaining({ code: 'LIMIT' }));
  });

  it('runs what Python does not write but may', () => {
    expect(unpickle(program('K', 1, '2', 0x86, '.'))).toEqual([1, 1]);
    expect(unpickle(program('K', 1, 'K', 2, '0.'))).toBe(1);
    expect(unpickle(program('K', 1, '(K', 2, '1.'))).toBe(1);
    expect(unpickle(program('(K', 1, 'K', 2, 'd.'))).toEqual(new Map([[1, 2]]));
    expect(unpickle(program('(K', 1, 'K', 2, 'l.'))).toEqual([1, 2]);
    expect(unpickle(program('K', 7, 'r', 0xff, 0xff, 0xff, 0xff, '0j', 0xff, 0xff, 0xff, 0xff, '.'))).toBe(7);
  });

  it('takes attributes of a dict, such as the metadata of state dicts, for none of its entries', () => {
    const dict = unpickle(program('ccollections\nOrderedDict\n)R}U', 9, '_metadata}sb.'));
    expect(dict).toEqual(new Map());
  });

  it('stops objects that double in every step', () => {
    // x = [x, x], three thousand times: few bytes, and 2³⁰⁰⁰ paths.
    const steps = Array.from({ length: 3000 }, () => ['2', 0x86] as const).flat();
    const bytes = program('K', 1, ...steps, '.');
    const object = unpickle(bytes);
    expect(object).toHaveLength(2);
    expect(() => namedTensors(object, new Budget(bytes.length))).toThrow(
      expect.objectContaining({ code: 'LIMIT' }),
    );
  });
});
