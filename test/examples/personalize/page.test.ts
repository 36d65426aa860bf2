import '@tensorflow/tfjs-backend-wasm';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { type Browser, chromium, type Page } from 'playwright';
import { type PreviewServer, preview } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadDigits } from '../../../examples/mnist/loadDigits.ts';
import { buildPage, pageConfig } from '../../../examples/personalize/page/buildPage.ts';
import { chromiumFlags, findChromium } from '../../chromium.ts';
import { root } from '../../markdown.ts';

const executablePath = findChromium();
if (executablePath === null) console.warn('No Chromium: the page that trains an adapter is not tested.');

describe.skipIf(executablePath === null)('the page that trains an adapter', () => {
  let folder: string;
  let server: PreviewServer;
  let browser: Browser;
  let page: Page;
  const problems: string[] = [];

  beforeAll(async () => {
    mkdirSync(join(root, '.cache'), { recursive: true });
    folder = mkdtempSync(join(root, '.cache/page-'));
    const backend = tf.getBackend();
    await tf.setBackend('wasm');
    await buildPage(folder, { ...loadDigits(200), passes: 1 }, new AbortController().signal);
    await tf.setBackend(backend);
    server = await preview({ ...pageConfig(folder), preview: { host: '127.0.0.1', port: 0 } });
    browser = await chromium.launch({ executablePath: executablePath!, args: chromiumFlags('webgl') });
    page = await browser.newPage({ viewport: { width: 360, height: 740 } });
    // A slow machine may take any time: the test itself has a limit.
    page.setDefaultTimeout(0);
    page.on('pageerror', (error) => problems.push(String(error)));
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) problems.push(message.text());
    });
    await page.goto(server.resolvedUrls!.local[0]!);
    await status(/^Ready, on the \w+ backend\.$/);
  });

  afterAll(async () => {
    await browser?.close();
    await server?.close();
    rmSync(folder, { recursive: true });
  });

  const status = (text: RegExp): Promise<void> => page.locator('#status').filter({ hasText: text }).waitFor();

  const accuracies = (): Promise<string[]> => page.locator('tbody td').allTextContents();

  it('shows a base that knows no new digit, and an adapter that changes nothing yet', async () => {
    const [baseOld, adapterOld, baseNew, adapterNew, baseAll, adapterAll] = await accuracies();
    expect(baseNew).toBe('0.0 %');
    expect([adapterOld, adapterNew, adapterAll]).toEqual([baseOld, baseNew, baseAll]);
  });

  it('trains the adapter, and measures it', async () => {
    const before = await accuracies();
    await page.getByLabel('Steps of 32 digits').fill('6');
    await page.getByRole('button', { name: 'Train the adapter' }).click();
    await status(/^Trained for 6 steps\.$/);
    const after = await accuracies();
    expect(after.every((text) => /^\d+\.\d %$/.test(text))).toBe(true);
    expect(after.filter((_, i) => i % 2 === 0)).toEqual(before.filter((_, i) => i % 2 === 0));
    expect(await page.locator('polyline').getAttribute('points')).toMatch(/^0,50 300,\d/);
  });

  it('classifies a digit that is drawn with a mouse or with keys, with the adapter and without', async () => {
    const answer = page.locator('#answer');
    const canvas = page.getByLabel('Drawing of a digit');
    await canvas.scrollIntoViewIfNeeded();
    const { x, y } = (await canvas.boundingBox())!;
    await page.mouse.move(x + 140, y + 40);
    await page.mouse.down();
    await page.mouse.move(x + 140, y + 240, { steps: 4 });
    await page.mouse.up();
    await answer.filter({ hasText: /^This is a \d, with the adapter\.$/ }).waitFor();
    await page.getByLabel('Use the adapter').uncheck();
    await answer.filter({ hasText: /^This is a [0-4], without the adapter\.$/ }).waitFor();
    await page.getByRole('button', { name: 'Clear' }).click();
    await answer.filter({ hasText: 'Nothing is drawn yet.' }).waitFor();
    await canvas.focus();
    for (const key of ['Space', ...Array<string>(9).fill('ArrowDown')]) await page.keyboard.press(key);
    await answer.filter({ hasText: /^This is a [0-4], without the adapter\.$/ }).waitFor();
    await page.keyboard.press('Escape');
    await answer.filter({ hasText: 'Nothing is drawn yet.' }).waitFor();
  });

  it('makes the files of the adapter, forgets it, and loads them again', async () => {
    const trained = await accuracies();
    await page.getByRole('button', { name: 'Make the files' }).click();
    const links = page.getByRole('list', { name: 'Files of the adapter' }).getByRole('link');
    const files: string[] = [];
    for (let i = 0; i < 2; i++) {
      const [download] = await Promise.all([page.waitForEvent('download'), links.nth(i).click()]);
      files.push(join(folder, download.suggestedFilename()));
      await download.saveAs(files[i]!);
    }
    expect(files.map((file) => file.slice(folder.length + 1)).sort()).toEqual([
      'adapter_config.json',
      'adapter_model.safetensors',
    ]);
    await page.getByRole('button', { name: 'Forget' }).click();
    await status(/^The adapter is as it was before any training\.$/);
    const forgotten = await accuracies();
    expect(forgotten.filter((_, i) => i % 2 === 1)).toEqual(trained.filter((_, i) => i % 2 === 0));
    await page.getByLabel('Load both files of an adapter').setInputFiles(files);
    await status(/^The adapter of the files is in use\.$/);
    expect(await accuracies()).toEqual(trained);
    await page.getByLabel('Load both files of an adapter').setInputFiles(files.slice(0, 1));
    await status(/^That failed: choose adapter_config\.json and adapter_model\.safetensors together\.$/);
    expect(await accuracies()).toEqual(trained);
  });

  it('fits on a narrow screen, and reports nothing to the console', async () => {
    const widths = await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);
    expect(widths[0]).toBeLessThanOrEqual(widths[1]!);
    expect(problems).toEqual([]);
  });
});
