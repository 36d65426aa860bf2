import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type CheckpointSource,
  openSafetensors,
  openTorch,
  type Progress,
  readTorch,
  writeSafetensors,
} from '../../../src/checkpoint/index.ts';
import { bytesOf } from '../stateDictFiles.ts';

const count = 400_000;
const [folder, torchFile] = [
  mkdtempSync(join(tmpdir(), 'checkpoint-')),
  bytesOf('statedicts/pickle_protocol_2.pt'),
];
let file: Uint8Array<ArrayBuffer>;
let server: Server;
let requests: (string | undefined)[] = [];

beforeAll(async () => {
  const tensors = {
    a: tf.range(0, count),
    b: tf.tensor([1, 2], [2], 'int32'),
    c: tf.range(count, 2 * count),
  };
  file = (await writeSafetensors(tensors)).slice();
  tf.dispose(tensors);
  writeFileSync(join(folder, 'model.safetensors'), file);
  writeFileSync(join(folder, 'model.pt'), torchFile);
  server = createServer((request, response) => {
    const { range } = request.headers;
    requests.push(range);
    const path = request.url ?? '';
    if (path.includes('missing')) return void response.writeHead(404).end('<html>');
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(range ?? '') ?? [];
    if (range === undefined || path.includes('whole')) {
      return void response.writeHead(200, { 'Content-Length': file.length }).end(file);
    }
    const end = Math.min(Number(to) + 1, file.length);
    const tag = path.includes('changing') ? String(requests.length) : 'same';
    response.writeHead(206, { 'Content-Range': `bytes ${from}-${end - 1}/${file.length}`, ETag: tag });
    response.end(file.subarray(Number(from), end));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

beforeEach(() => {
  requests = [];
});

const url = (path: string): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}/${path}`;

const sources: [string, () => CheckpointSource | Promise<CheckpointSource>][] = [
  ['bytes', () => file],
  ['an ArrayBuffer', () => file.buffer],
  ['a Blob', () => new Blob([file])],
  ['a File', () => new File([file], 'model.safetensors')],
  ['a Response', () => fetch(url('whole'))],
  ['a Response without a length', () => new Response(new Blob([file]).stream())],
  ['a URL with ranges', () => new URL(url('ranges'))],
  ['the text of a URL with ranges', () => url('ranges')],
  ['a URL without ranges', () => url('whole')],
  ['a path', () => join(folder, 'model.safetensors')],
  ['a file: URL', () => pathToFileURL(join(folder, 'model.safetensors'))],
  ['the text of a file: URL', () => String(pathToFileURL(join(folder, 'model.safetensors')))],
];

describe.each(sources)('%s', (_, source) => {
  it('is opened, and its tensors are read in any order', async () => {
    const opened = await openSafetensors(await source());
    expect(opened.names).toEqual(['a', 'b', 'c']);
    for (const [name, first] of [
      ['c', count],
      ['b', 1],
      ['a', 0],
      ['c', count],
    ] as const) {
      const tensor = await opened.tensor(name);
      expect((await tensor.data())[0], name).toBe(first);
      tensor.dispose();
    }
    await opened.close();
    await opened.close();
    await expect(opened.tensor('a')).rejects.toMatchObject({ code: 'DISPOSED' });
  });

  it('tells how far it is', async () => {
    const progress: Progress[] = [];
    const opened = await openSafetensors(await source(), { onProgress: (step) => progress.push(step) });
    const stored = await opened.read('c');
    expect(stored.data.length).toBe(count);
    await opened.close();
    expect(progress.length).toBeGreaterThan(0);
    expect(progress.at(-1)!.loaded).toBeGreaterThanOrEqual(4 * count);
    const loaded = progress.map((step) => step.loaded);
    expect(loaded).toEqual([...loaded].sort((a, b) => a - b));
    for (const { total } of progress) expect([undefined, file.length]).toContain(total);
  });

  it('is not read when the signal was aborted, and not further when it is', async () => {
    const [early, late] = [AbortSignal.abort('never'), new AbortController()];
    await expect(openSafetensors(await source(), { signal: early })).rejects.toBe('never');
    const opened = await openSafetensors(await source(), { signal: late.signal });
    late.abort('enough');
    await expect(opened.read('a')).rejects.toBe('enough');
    await opened.close();
  });
});

describe('a URL with ranges', () => {
  it('is asked for what is wanted only', async () => {
    const opened = await openSafetensors(url('ranges'));
    expect((await opened.read('b')).data).toEqual(new Int32Array([1, 2]));
    await opened.close();
    expect(requests).toHaveLength(2);
    const asked = requests.map((range) => range!.match(/\d+/g)!.map(Number) as [number, number]);
    expect(asked.reduce((sum, [from, to]) => sum + to - from + 1, 0)).toBeLessThan(600_000);
  });

  it('that changes while it is read is refused', async () => {
    const opened = await openSafetensors(url('changing'));
    await expect(opened.read('c')).rejects.toMatchObject({
      code: 'UNREADABLE',
      message: expect.stringContaining('it has changed'),
    });
    await opened.close();
  });
});

describe('a Response', () => {
  it('that sends nothing more is left when the signal says so', async () => {
    const controller = new AbortController();
    let isCancelled = false;
    const stalled = new ReadableStream<Uint8Array>({
      start: (stream) => stream.enqueue(file.subarray(0, 1000)),
      cancel: () => {
        isCancelled = true;
      },
    });
    const onProgress = (): void => void setTimeout(() => controller.abort('enough'), 10);
    const opening = openSafetensors(new Response(stalled as never), {
      signal: controller.signal,
      onProgress,
    });
    await expect(opening).rejects.toBe('enough');
    expect(isCancelled).toBe(true);
  });

  it('that breaks off, or was read before, is named', async () => {
    const broken = new ReadableStream<Uint8Array>({
      start: (stream) => stream.error(new Error('connection lost')),
    });
    await expect(openSafetensors(new Response(broken as never))).rejects.toMatchObject({
      code: 'UNREADABLE',
      message: expect.stringContaining('connection lost'),
    });
    const used = new Response(new Blob([file]));
    await used.arrayBuffer();
    await expect(openSafetensors(used)).rejects.toMatchObject({ code: 'UNREADABLE' });
  });

  it('lets the error of onProgress through, and stops', async () => {
    const onProgress = (): never => {
      throw new Error('mine');
    };
    await expect(openSafetensors(new Response(new Blob([file])), { onProgress })).rejects.toThrow('mine');
  });
});

describe('what cannot be read', () => {
  it.each([
    ['a missing file', () => join(folder, 'missing.pt'), 'ENOENT'],
    ['a folder', () => folder, 'is not a file'],
    ['a missing page', () => url('missing'), '404'],
    ['a dead server', () => 'http://127.0.0.1:9/', 'cannot be read'],
  ])('is named: %s', async (_, source, text) => {
    await expect(openTorch(source())).rejects.toMatchObject({
      name: 'CheckpointError',
      code: 'UNREADABLE',
      message: expect.stringContaining(text),
    });
  });

  it('is named: something else', async () => {
    await expect(openTorch(7 as never)).rejects.toMatchObject({ code: 'OPTION' });
  });

  it.each([
    ['openTorch', () => openTorch(file, { checkCRC: true } as never), /'checkCRC'.*'checkCrc'/],
    ['openTorch', () => openTorch(file, { checkCrc: 'no' } as never), /checkCrc is no/],
    ['openSafetensors', () => openSafetensors(file, { checkCrc: true } as never), /'checkCrc'/],
    ['openSafetensors', () => openSafetensors(file, { onProgress: 3 } as never), /onProgress is 3/],
    ['readTorch', async () => readTorch(file, { checkcrc: true } as never), /'checkcrc'/],
  ])('is named: an option that %s has not, or of another type', async (caller, open, message) => {
    const refused = expect(open()).rejects;
    await refused.toMatchObject({ code: 'OPTION', message: expect.stringMatching(message) });
    await expect(open()).rejects.toThrow(`${caller}: `);
  });

  it('is named: a file that became shorter', async () => {
    const path = join(folder, 'shrinking.safetensors');
    writeFileSync(path, file);
    const opened = await openSafetensors(path);
    writeFileSync(path, file.subarray(0, 1000));
    await expect(opened.read('c')).rejects.toMatchObject({ code: 'UNREADABLE' });
    await opened.close();
  });
});

describe('an opened torch file', () => {
  it('has what was saved, and says which names are not there', async () => {
    const opened = await openTorch(join(folder, 'model.pt'));
    expect(opened.object).toBeInstanceOf(Map);
    expect(() => opened.info('nothing')).toThrow(expect.objectContaining({ code: 'UNKNOWN_TENSOR' }));
    await expect(opened.tensor('nothing')).rejects.toMatchObject({ code: 'UNKNOWN_TENSOR' });
    await opened.close();
  });

  it('knows which tensors are tied, without reading them', async () => {
    const opened = await openTorch(bytesOf('statedicts/views_and_strides.pt'));
    expect(opened.ties).toEqual([['base', 'tied_a', 'tied_b']]);
    await opened.close();
  });

  it('reads the part of a storage that a view needs', async () => {
    let last = 0;
    const opened = await openTorch(bytesOf('statedicts/views_and_strides.pt'), {
      onProgress: ({ loaded }) => {
        last = loaded;
      },
    });
    const before = last;
    await opened.read('offset_view_small');
    // 10 of 1000 elements, and the header of the entry.
    expect(last - before).toBeLessThan(200);
    await opened.close();
  });
});
