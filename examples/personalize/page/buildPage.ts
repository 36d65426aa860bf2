import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nn } from 'tfjs-parametrize';
import { saveCheckpoint } from 'tfjs-parametrize/checkpoint';
import { build, type InlineConfig } from 'vite';
import { type Digits, digitsOf } from '../../mnist/digits.ts';
import { oldDigits } from '../addAdapter.ts';
import { learn } from '../learn.ts';
import { Network } from '../network.ts';
import { digitFile } from './digitFile.ts';

/** The digits of the page, and how long its base is trained. */
export interface PageContents {
  readonly training: Digits;
  readonly test: Digits;
  readonly passes: number;
}

/** The modules of the backend. It takes the second one where the browser has SIMD instructions. */
const wasmFiles = ['tfjs-backend-wasm.wasm', 'tfjs-backend-wasm-simd.wasm'];

const pathOf = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** The settings of the build. The names of the package lead to its sources, so no build of it is needed. */
export const pageConfig = (folder: string): InlineConfig => ({
  root: pathOf('.'),
  configFile: false,
  base: './',
  logLevel: 'error',
  publicDir: false,
  resolve: {
    alias: [
      { find: /^tfjs-parametrize$/, replacement: pathOf('../../../src/index.ts') },
      { find: /^tfjs-parametrize\/(.*)$/, replacement: pathOf('../../../src/$1/index.ts') },
    ],
  },
  // The page has a top-level await. tfjs is larger than the size that Vite warns of.
  build: { outDir: folder, emptyOutDir: false, target: 'es2022', chunkSizeWarningLimit: 4000 },
});

/** Writes a static page: the bundled program, the digits and a base that is trained on the digits 0 to 4. */
export async function buildPage(
  folder: string,
  { training, test, passes }: PageContents,
  signal: AbortSignal,
): Promise<void> {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'training.bin'), digitFile(training));
  writeFileSync(join(folder, 'test.bin'), digitFile(test));
  const { resolve } = createRequire(import.meta.url);
  for (const name of wasmFiles) {
    copyFileSync(resolve(`@tensorflow/tfjs-backend-wasm/dist/${name}`), join(folder, name));
  }
  nn.manualSeed(1);
  const base = new Network();
  try {
    await learn(base, digitsOf(training, oldDigits), 1, { passes, rate: 0.001 }, () => {}, signal);
    await saveCheckpoint(base, join(folder, 'base.safetensors'));
  } finally {
    base.dispose();
  }
  await build(pageConfig(folder));
}
