import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { type Browser, chromium, type Page } from 'playwright';
import * as source from 'tfjs-parametrize';
import * as checkpoint from 'tfjs-parametrize/checkpoint';
import * as finetune from 'tfjs-parametrize/finetune';
import * as layers from 'tfjs-parametrize/layers';
import * as legacy from 'tfjs-parametrize/legacy';
import * as nn from 'tfjs-parametrize/nn';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundle } from '../../scripts/bundle.ts';
import { chromiumFlags, findChromium } from '../chromium.ts';
import { codeBlocks, read, root } from '../markdown.ts';

// The two files for pages without a build, as `npm run build` makes them.

const run = promisify(execFile);
const guide = read('docs/bundlers.md');
const files = ['tfjs-parametrize.min.js', 'tfjs-parametrize-layers.min.js'] as const;

let folder: string;

beforeAll(async () => {
  const cache = join(root, '.cache');
  mkdirSync(cache, { recursive: true });
  folder = mkdtempSync(join(cache, 'single-'));
  await bundle(folder);
}, 120_000);

afterAll(() => rmSync(folder, { recursive: true }));

describe('a single file', () => {
  it.each(files)('%s has everything that its entries export', async (file) => {
    const { legacy: legacyPart, ...exports } = (await import(
      /* @vite-ignore */ pathToFileURL(join(folder, file)).href
    )) as Record<string, unknown>;
    const entries = [source, nn, checkpoint, finetune, ...(file.includes('layers') ? [layers] : [])];
    expect(Object.keys(exports).sort()).toEqual(
      [...new Set(entries.flatMap((entry) => Object.keys(entry)))].sort(),
    );
    expect(Object.keys(legacyPart as object).sort()).toEqual(Object.keys(legacy).sort());
  });

  it('imports nothing but tfjs when it is loaded', () => {
    const importsOf = (file: string): string[] => {
      const text = readFileSync(join(folder, file), 'utf8');
      return [
        ...new Set(
          [...text.matchAll(/\b(?:im|ex)port\b\s*(?:[\w$*{},\s]+\bfrom\s*)?"([^"\s]+)"/g)].map(
            ([, path]) => path!,
          ),
        ),
      ].sort();
    };
    expect(importsOf(files[0])).toEqual(['@tensorflow/tfjs-core']);
    expect(importsOf(files[1])).toEqual(['@tensorflow/tfjs-core', '@tensorflow/tfjs-layers']);
  });

  it('normalizes weights in Node.js', async () => {
    const program = join(folder, 'program.mjs');
    writeFileSync(
      program,
      `import * as tf from '@tensorflow/tfjs';
      import { Linear, weightNorm, writeSafetensors } from './${files[0]}';
      const layer = weightNorm(new Linear(2, 1, { bias: false }));
      layer.weight = tf.tensor2d([[3, 4]]);
      layer.parametrizations.weight.g.assign(tf.tensor2d([[10]]));
      console.log([...layer.weight.dataSync()].map((x) => x.toFixed(5)).join(), String(layer));
      console.log((await writeSafetensors(layer.stateDict())) instanceof Uint8Array);`,
    );
    const { stdout } = await run(process.execPath, [program]);
    expect(stdout).toMatch(/^6\.00000,8\.00000 .*Linear/);
    expect(stdout).toMatch(/true\n$/);
  });
});

const executablePath = findChromium();
if (executablePath === null) console.warn('No Chromium: the tests of pages without a build are left out.');

describe.skipIf(executablePath === null)('in a page', () => {
  let server: Server;
  let browser: Browser;
  let address: string;

  beforeAll(async () => {
    copyFileSync(
      join(root, 'node_modules/@tensorflow/tfjs/dist/tf.fesm.min.js'),
      join(folder, 'tf.fesm.min.js'),
    );
    writeFileSync(join(folder, 'index.html'), codeBlocks(guide, 'html'));
    writeFileSync(join(folder, 'empty.html'), '<!doctype html>');
    server = createServer((request, response) => {
      const type = { '.html': 'text/html', '.js': 'text/javascript' }[extname(request.url!)];
      if (type === undefined) response.writeHead(404).end();
      else
        response
          .writeHead(200, { 'content-type': type })
          .end(readFileSync(join(folder, request.url!.slice(1))));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    browser = await chromium.launch({ executablePath: executablePath!, args: chromiumFlags('webgl') });
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    server?.close();
  });

  /** A page that a slow machine may take any time for: the test itself has a limit. */
  async function newPage(): Promise<Page> {
    const page = await browser.newPage();
    page.setDefaultTimeout(0);
    return page;
  }

  it('an import map leads to it, and a constraint holds in fit', async () => {
    const page = await newPage();
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(String(error)));
    await page.goto(`${address}/index.html`);
    await page.waitForFunction(`document.title !== ''`);
    const norms = (await page.title()).match(/\d[\d.]*/g)!.map(Number);
    expect(errors).toEqual([]);
    expect(norms).toHaveLength(2);
    for (const norm of norms) expect(norm).toBeCloseTo(1, 5);
  });

  it('a worker answers once it is bundled', async () => {
    await build({
      stdin: { contents: codeBlocks(guide, 'mjs'), resolveDir: folder },
      alias: { 'tfjs-parametrize': join(root, 'src/index.ts') },
      outfile: join(folder, 'worker.js'),
      bundle: true,
      minify: true,
      format: 'esm',
      external: ['node:*'],
      logLevel: 'error',
    });
    const page = await newPage();
    await page.goto(`${address}/empty.html`);
    const answer = await page.evaluate(`new Promise((resolve, reject) => {
      const worker = new Worker('./worker.js', { type: 'module' });
      worker.onmessage = ({ data }) => resolve([...data]);
      worker.onerror = ({ message }) => reject(new Error(message));
      worker.postMessage([1, 2]);
    })`);
    expect(answer).toEqual([expect.any(Number)]);
  });
});
