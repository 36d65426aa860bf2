import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const source = (path: string) => fileURLToPath(new URL(`./src/${path}`, import.meta.url));

const aliases = [
  { find: /^tfjs-parametrize$/, replacement: source('index.ts') },
  { find: /^tfjs-parametrize\/(.*)$/, replacement: source('$1/index.ts') },
];

/** Every test file runs once for each backend; `TFJS_BACKEND` tells `test/setup.ts` which one. */
const project = (backend: string) => ({
  resolve: { alias: aliases },
  test: {
    name: backend,
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/setup.ts'],
    env: { TFJS_BACKEND: backend },
    testTimeout: 120_000,
  },
});

export default defineConfig({
  test: { projects: [project('cpu'), project('wasm')] },
});
