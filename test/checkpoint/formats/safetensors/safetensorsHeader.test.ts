import { describe, expect, it } from 'vitest';
import { headerFor } from '../../../../src/checkpoint/formats/safetensors/safetensorsHeader.ts';
import { openSafetensors, readSafetensors, writeSafetensors } from '../../../../src/checkpoint/index.ts';

/** A file with a header as it is written here. */
function fileOf(header: string, data = new Uint8Array(8)): Uint8Array {
  const json = new TextEncoder().encode(header);
  const file = new Uint8Array(8 + json.length + data.length);
  new DataView(file.buffer).setBigUint64(0, BigInt(json.length), true);
  file.set(json, 8);
  file.set(data, 8 + json.length);
  return file;
}

const entry = (fields = '', dtype = 'F32', shape = '[2]', offsets = '[0,8]'): string =>
  `{"dtype":"${dtype}","shape":${shape},"data_offsets":${offsets}${fields}}`;

const namesIn = async (file: Uint8Array): Promise<readonly string[]> => {
  const opened = await openSafetensors(file);
  await opened.close();
  return opened.names;
};

// Each as the reference implementation decides.
describe('a header', () => {
  it.each([
    ['white space before it', ` \n\t\r{"a":${entry()}}`],
    ['white space up to a page before it', `${' '.repeat(4096)}{"a":${entry()}}`],
    ['white space after it', `{"a":${entry()}}${' '.repeat(4096)}`],
    ['metadata that are null', `{"__metadata__":null,"a":${entry()}}`],
    ['a field that means nothing', `{"a":${entry(',"scale":0.5')}}`],
    ['such a field twice, and deep', `{"a":${entry(',"x":[[[[1.5]]]],"x":{}')}}`],
    ['a name twice, the last time right', `{"a":${entry('', 'F64')},"a":${entry()}}`],
    ['metadata called as fields, twice', `{"__metadata__":{"shape":"1","shape":"2"},"a":${entry()}}`],
  ])('with %s is read', async (_, header) => {
    expect(await namesIn(fileOf(header))).toEqual(['a']);
  });

  it.each([
    ['a shape with a point', entry('', 'F32', '[2.0]')],
    ['a shape with an exponent', entry('', 'F32', '[2e0]')],
    ['offsets with a point', entry('', 'F32', '[2]', '[0,8.0]')],
    ['a shape of -0', entry('', 'F32', '[-0]', '[0,0]')],
    ['a field twice', entry(',"shape":[2]')],
    ['a field twice, once in other letters', entry(',"\\u0073hape":[2]')],
    ['more elements than 64 bits count', entry('', 'F32', '[4294967296,4294967296,0]', '[0,0]')],
    ['half a byte too much', entry('', 'F4', '[17]')],
  ])('with %s is refused', async (_, text) => {
    await expect(namesIn(fileOf(`{"a":${text}}`))).rejects.toMatchObject({ code: 'CORRUPT' });
  });

  it.each([
    ['white space alone', '          '],
    ['a space that JSON has not', `\u00a0{"a":${entry()}}`],
    ['the metadata twice', `{"__metadata__":{},"__metadata__":{},"a":${entry()}}`],
    ['half a character in a name', `{"a\\ud800":${entry()}}`],
    ['a list', `[${entry()}]`],
  ])('of %s is refused', async (_, header) => {
    await expect(namesIn(fileOf(header))).rejects.toMatchObject({
      code: expect.stringMatching(/^(CORRUPT|NOT_A_CHECKPOINT)$/),
    });
  });

  it('that no reader would take is not written', () => {
    const tensors = new Map([['a', { dtype: 'F32', shape: [] } as const]]);
    expect(() => headerFor(tensors, { text: 'x'.repeat(100_000_000) })).toThrow(
      expect.objectContaining({ code: 'LIMIT' }),
    );
    expect(() => headerFor(tensors, { text: 'x'.repeat(99_000_000) })).not.toThrow();
  });
});

describe('a tensor of a type that tfjs has not', () => {
  it.each([
    ['F4', '[16]'],
    ['F6_E2M3', '[8]', 6],
    ['F6_E3M2', '[8]', 6],
    ['C64', '[1]'],
    ['Q9_LATER', '[5]'],
  ])('(%s) is listed, and refused by name when it is asked for', async (dtype, shape, bytes = 8) => {
    const odd = entry('', dtype, shape, `[0,${bytes}]`);
    const plain = entry('', 'F32', '[1]', `[${bytes},${bytes + 4}]`);
    const file = fileOf(`{"odd":${odd},"plain":${plain}}`, new Uint8Array(bytes + 4));
    const opened = await openSafetensors(file);
    expect(opened.info('odd')).toEqual({ dtype, shape: JSON.parse(shape) });
    await expect(opened.tensor('odd')).rejects.toMatchObject({
      code: 'DTYPE',
      message: expect.stringContaining(`'odd' has the type ${dtype},`),
    });
    (await opened.tensor('plain')).dispose();
    await opened.close();
    expect(() => readSafetensors(file)).toThrow(expect.objectContaining({ code: 'DTYPE' }));
  });
});

// Bits and numbers of the standards: OCP for E4M3, E5M2 and E8M0, and the variants without a negative zero.
describe.each([
  [
    'F8_E4M3',
    { 0: 0, 128: -0, 1: 2 ** -9, 7: 7 * 2 ** -9, 8: 2 ** -6, 56: 1, 126: 448, 254: -448, 127: NaN, 255: NaN },
  ],
  [
    'F8_E5M2',
    {
      0: 0,
      128: -0,
      1: 2 ** -16,
      4: 2 ** -14,
      60: 1,
      123: 57344,
      124: Infinity,
      252: -Infinity,
      125: NaN,
      255: NaN,
    },
  ],
  ['F8_E4M3FNUZ', { 0: 0, 1: 2 ** -10, 8: 2 ** -7, 64: 1, 127: 240, 255: -240, 128: NaN }],
  ['F8_E5M2FNUZ', { 0: 0, 1: 2 ** -17, 4: 2 ** -15, 64: 1, 127: 57344, 255: -57344, 128: NaN }],
  ['F8_E8M0', { 0: 2 ** -127, 127: 1, 128: 2, 254: 2 ** 127, 255: NaN }],
])('the type %s', (dtype, numbers) => {
  it('stands for the numbers of its standard', async () => {
    const bits = Object.keys(numbers).map(Number);
    const header = `{"a":${entry('', dtype, `[${bits.length}]`, `[0,${bits.length}]`)}}`;
    const { tensors } = readSafetensors(fileOf(header, Uint8Array.from(bits)));
    const values = [...(await tensors['a']!.data())];
    for (const [i, value] of Object.values(numbers).entries()) {
      expect(Object.is(values[i], value), `0x${bits[i]!.toString(16)}: ${values[i]}`).toBe(true);
    }
    tensors['a']!.dispose();
  });
});

it('an open file can be read as often as anybody likes', async () => {
  const bytes = await writeSafetensors({});
  expect(bytes.length).toBe(16);
  const data = new Uint8Array(512 * 1024);
  const file = fileOf(`{"a":${entry('', 'F16', `[${data.length / 2}]`, `[0,${data.length}]`)}}`, data);
  const opened = await openSafetensors(file);
  for (let i = 0; i < 40; i++) (await opened.tensor('a')).dispose();
  await opened.close();
});
