import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Rollup } from 'vite';
import { describe, expect, it } from 'vitest';
import type { Message } from './browserPage.ts';

// Node.js has no IndexedDB: a real Chromium, where there is one, saves and loads what browserPage.ts says.

const chromium = '/usr/bin/chromium';
const limit = 60_000;

const root = fileURLToPath(new URL('../../', import.meta.url));
const source = (path: string): string => join(root, 'src', path);

describe.runIf(process.env['TFJS_BACKEND'] === 'cpu')('a browser', () => {
  it('saves and resumes originals, and saves and loads plain weights, in IndexedDB and local storage', async (context) => {
    if (!existsSync(chromium)) context.skip(`There is no ${chromium}.`);
    const { savedFrom, originals, refused, ...loaded } = await messagesOf(await page());
    expect(originals).toEqual(
      expect.arrayContaining([
        expect.stringContaining('recurrent_kernel/original'),
        expect.stringContaining('kernel/original0'),
        expect.stringContaining('kernel/original1'),
      ]),
    );
    expect(refused).toContain('no target variable');
    expect(savedFrom).toHaveLength(12);
    expect(Math.max(...savedFrom.map(Math.abs))).toBeGreaterThan(1e-2);
    expect(Object.keys(loaded)).toEqual(['resumed', 'plain', 'loaded', 'local']);
    for (const [name, predictions] of Object.entries(loaded)) {
      expect(predictions, name).toHaveLength(12);
      const differences = predictions.map((value, i) => Math.abs(value - savedFrom[i]!));
      expect(Math.max(...differences), name).toBeLessThan(1e-5);
    }
  });
});

type Told = Exclude<Message, { error: string }>;
type Both = Extract<Told, { savedFrom: number[] }> & Extract<Told, { resumed: number[] }>;

/** The script of the page, with tfjs in it. */
async function page(): Promise<string> {
  const result = await build({
    root,
    configFile: false,
    logLevel: 'error',
    resolve: {
      alias: [
        { find: /^tfjs-parametrize$/, replacement: source('index.ts') },
        { find: /^tfjs-parametrize\/(.*)$/, replacement: source('$1/index.ts') },
      ],
    },
    build: {
      write: false,
      minify: false,
      target: 'es2022',
      lib: { entry: fileURLToPath(new URL('browserPage.ts', import.meta.url)), formats: ['es'] },
    },
  });
  return (result as Rollup.RollupOutput[])[0]!.output[0].code;
}

/** Serves a script to a browser of its own, until both documents have told what they have to. */
async function messagesOf(script: string): Promise<Both> {
  const { promise, resolve, reject } = withResolvers<Both>();
  const told = {};
  const server = createServer((request, response) => {
    if (request.url === '/tell') {
      let body = '';
      request.on('data', (chunk) => {
        body += chunk;
      });
      request.on('end', () => {
        response.end();
        const message = JSON.parse(body) as Message;
        if ('error' in message) reject(new Error(message.error));
        Object.assign(told, message);
        if ('resumed' in message) resolve(told as Both);
      });
    } else if (request.url === '/page.js') {
      response.setHeader('Content-Type', 'text/javascript; charset=utf-8').end(script);
    } else {
      response
        .setHeader('Content-Type', 'text/html; charset=utf-8')
        .end('<!doctype html><script type="module" src="/page.js"></script>');
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const profile = mkdtempSync(join(tmpdir(), 'chromium-'));
  const browser = open(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, profile);
  let errors = '';
  browser.stderr!.on('data', (chunk) => {
    errors += chunk;
  });
  const timer = setTimeout(() => reject(new Error(`nothing for ${limit} ms; ${errors}`)), limit);
  browser.on('error', reject);
  browser.on('exit', (code) => reject(new Error(`Chromium ended with ${code}: ${errors}`)));
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    await close(browser);
    server.closeAllConnections();
    server.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
}

function open(url: string, profile: string): ChildProcess {
  const flags = [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-dev-shm-usage',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    `--user-data-dir=${profile}`,
  ];
  // A group of its own, so that its children end with it.
  const env = { ...process.env, TMPDIR: profile };
  return spawn(chromium, [...flags, url], { detached: true, env, stdio: ['ignore', 'ignore', 'pipe'] });
}

async function close(browser: ChildProcess): Promise<void> {
  if (browser.pid === undefined) return;
  const ended = browser.exitCode === null && browser.signalCode === null ? once(browser, 'exit') : undefined;
  try {
    process.kill(-browser.pid, 'SIGKILL');
  } catch {
    // The whole group has ended already.
  }
  await ended;
}

function withResolvers<T>(): {
  promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (reason: Error) => void;
} {
  let resolve!: (value: T) => void;
  let reject!: (reason: Error) => void;
  const promise = new Promise<T>((onValue, onError) => {
    resolve = onValue;
    reject = onError;
  });
  return { promise, resolve, reject };
}
