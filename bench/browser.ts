/**
 * What weight normalization costs on webgl and webgpu, in Chromium; see README.md.
 *
 *     npm run bench:browser
 *     npm run bench:browser -- --sizes tiny,small --rounds 21
 *     npm run bench:browser -- --gpu                      on the graphics processor of the machine, not in software
 *     npm run bench:browser -- --write                    puts the results into docs/performance.md
 */
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright';
import { createServer } from 'vite';
import { chromiumFlags, findChromium } from '../test/chromium.ts';
import type { Measure, Measured } from './browser/page.ts';
import { environment, sentence } from './measure/environment.ts';
import type { Result } from './measure/interleave.ts';
import { markdownTable, writeSection } from './measure/page.ts';
import { ratioTable } from './measure/ratioTable.ts';
import { readOptions } from './measure/readOptions.ts';
import { shapes } from './weightNorm/cases.ts';

const page = 'docs/performance.md';
const backends = ['webgl', 'webgpu'] as const;

const onGPU = process.argv.includes('--gpu');
const options = readOptions(
  'bench:browser',
  'Measures weight normalization on webgl and webgpu, in software, or with --gpu on the graphics processor.',
  Object.keys(shapes),
  process.argv.slice(2).filter((option) => option !== '--gpu'),
  page,
  false,
);

/** Has a browser of its own measure a backend. */
async function measured(backend: string, executablePath: string, address: string): Promise<Measured> {
  const browser = await chromium.launch({
    executablePath,
    args: onGPU ? chromiumFlags() : chromiumFlags(backend),
  });
  try {
    const tab = await browser.newPage();
    tab.on('pageerror', (error) => console.error(error));
    await tab.exposeFunction('tell', async (title: string, results: readonly Result[]) => {
      if (!options.json) console.log(`${ratioTable(`${title} (${backend})`, results)}\n`);
    });
    await tab.goto(`${address}bench/browser/page.html`);
    await tab.waitForFunction(() => 'measure' in window);
    const { sizes, rounds } = options;
    return await tab.evaluate(
      ([backend, sizes, rounds]) => {
        const { measure, tell } = window as unknown as { measure: Measure; tell: Parameters<Measure>[3] };
        return measure(backend, sizes, rounds, tell);
      },
      [backend, sizes, rounds] as const,
    );
  } finally {
    await browser.close();
  }
}

const executablePath = findChromium();
if (executablePath === null)
  throw new Error('There is no Chromium. CHROMIUM names one that is not on the PATH.');
const server = await createServer({
  root: fileURLToPath(new URL('..', import.meta.url)),
  configFile: false,
  logLevel: 'error',
  cacheDir: '.cache/vite',
  server: { host: '127.0.0.1', port: 0, hmr: false, watch: null },
  optimizeDeps: { entries: ['bench/browser/page.ts'] },
});
try {
  await server.listen();
  const [address] = server.resolvedUrls!.local;
  const all = [];
  for (const backend of backends)
    all.push({ backend, ...(await measured(backend, executablePath, address!)) });
  const where = environment(null);
  const sections = all.flatMap(({ backend, renderer, comparisons }) => [
    `### The ${backend} backend: ${renderer}`,
    markdownTable(comparisons),
  ]);
  const heading = `${options.rounds} rounds. ${sentence(where)}.`;
  if (options.json) {
    console.log(JSON.stringify({ environment: where, rounds: options.rounds, backends: all }, null, 2));
  } else {
    for (const { backend, renderer } of all) console.log(`${backend}: ${renderer}`);
    console.log(heading);
  }
  if (options.write) writeSection(page, 'results in a browser', [heading, ...sections].join('\n\n'));
} finally {
  await server.close();
}
