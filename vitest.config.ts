import { availableParallelism } from 'node:os';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { playwright } from '@vitest/browser-playwright';
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { chromiumFlags, findChromium } from './test/chromium.ts';

const source = (path: string) => fileURLToPath(new URL(`./src/${path}`, import.meta.url));

const aliases = [
  { find: /^tfjs-parametrize$/, replacement: source('index.ts') },
  { find: /^tfjs-parametrize\/(.*)$/, replacement: source('$1/index.ts') },
];

/** Tests of the backends that only browsers have: the kernels, and the parts of the engine that they rely on. */
const kernels = [
  'test/kernels/weightNorm/{weightNormOp,range,memory}.test.ts',
  'test/engine/{recordedKernel,scope,tape,variable}.test.ts',
];

/** Further tests on webgl. A GPU for webgpu in software does not last long enough, see `test/watchGPU.ts`. */
const laws = [
  'test/parametrizations/{weightNorm,spectralNormGradient}.test.ts',
  'test/parametrize/laws/{continuity,gradients,ownership,staleness,values}.test.ts',
  'test/parametrize/chain/backendSwitch.test.ts',
];

/** Tests of all maps of the catalog on graphics processors. Elsewhere the tests of each map have more. */
const onGPU = ['test/parametrizations/entriesOnGPU.test.ts'];

/** Tests of stores, files and requests to other origins, which Node.js lacks or has in another form. */
const inBrowsers = ['test/{checkpoint,layers}/inBrowser.test.ts'];

/**
 * Files that need no backend, or choose their own, or run programs of their own: the same on every backend. The gradients
 * of the table are compared by the laws of each map on both backends.
 */
const once = [
  'test/*.test.ts',
  'test/{bundlers,cli,core,decorators,examples,types}/**/*.test.ts',
  'test/bench/interleave.test.ts',
  'test/checkpoint/formats/{badFiles,memory,mutants,otherFormats}.test.ts',
  'test/checkpoint/formats/safetensors/writeSafetensors.test.ts',
  'test/checkpoint/formats/torch/{unpickle,zipArchive}.test.ts',
  'test/checkpoint/save/pythonReads.test.ts',
  'test/checkpoint/source/openSource.test.ts',
  'test/finetune/quantization/cleanProcess.test.ts',
  'test/kernels/simd/*.test.ts',
  'test/kernels/weightNorm/{layout,plainRoutines,selectionPrograms,workgroupSchedule}.test.ts',
  'test/layers/packages.test.ts',
  'test/model/checkModel.test.ts',
  'test/ops/float64/*.test.ts',
  'test/parametrizations/gradientTable.test.ts',
  'test/parametrize/errors/environment.test.ts',
  'test/torch/parityTable.test.ts',
];

/** The files that take longest. They are all in `once`. */
const longest = [
  'test/bundlers/bundlers.test.ts',
  'test/checkpoint/formats/memory.test.ts',
  'test/treeShaking.test.ts',
  'test/docs.test.ts',
  'test/examples/mnist.test.ts',
];

/**
 * Begins with the longest files: begun last, they leave the other core idle. Vitest begins with the largest texts where it has
 * not measured them.
 */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rankOf = ({ moduleId }: TestSpecification): number => {
      const rank = longest.findIndex((path) => moduleId.endsWith(`/${path}`));
      return rank < 0 ? longest.length : rank;
    };
    return (await super.sort(files)).sort((a, b) => rankOf(a) - rankOf(b));
  }
}

/** Files that count what a process does in which nothing else was imported, reset its modules, or measure it. */
const alone = [
  'test/bench/*.test.ts',
  'test/checkpoint/viewOf.test.ts',
  'test/engine/optimizerGuardFallback.test.ts',
  'test/layers/host/recurrentPass.test.ts',
  'test/legacy/weightNorm.test.ts',
  'test/model/linearCost.test.ts',
  'test/parametrize/chain/dependencyKey.test.ts',
  'test/parametrize/errors/{hosts,twoCopies}.test.ts',
];

/** Tests of one backend's own kernels. */
const ofBackend = (backend: string) => `test/kernels/**/${backend}.test.ts`;

/** A deadlock fails a test, a slow machine does not. */
const timeouts = { testTimeout: 900_000, hookTimeout: 900_000 };

/**
 * The projects run in two groups, one after the other. Each has one browser beside files in Node.js: drawing in software
 * leaves a part of the cores to others, and two browsers at once run out of what pages may hold of a GPU.
 */
const [first, second] = [0, 1];

/** All projects of a group need the same number. */
const maxWorkers = Math.max(availableParallelism() - 1, 2);

/** Test files in Node.js; `TFJS_BACKEND` tells `test/setup.ts` the backend. */
const project = (
  name: string,
  backend: string,
  groupOrder: number,
  include: string[],
  exclude: string[],
  isolate = true,
): TestProjectInlineConfiguration => ({
  resolve: { alias: aliases },
  test: {
    name,
    isolate,
    include,
    exclude,
    setupFiles: ['test/setup.ts'],
    env: { TFJS_BACKEND: backend },
    sequence: { groupOrder },
    maxWorkers,
    ...timeouts,
  },
});

const notOnNode = [...once, ...inBrowsers, ...onGPU, ofBackend('webgl'), ofBackend('webgpu')];

/** Files of a backend share a process and its modules, which takes a third of the processor time; but for some. */
const onBackend = (backend: string): TestProjectInlineConfiguration[] => [
  project(backend, backend, second, ['test/**/*.test.ts'], [...notOnNode, ...alone], false),
  project(`${backend}, alone`, backend, second, alone, notOnNode),
];

/** Some test files in Chromium, one after the other. */
function browserProject(
  backend: string,
  groupOrder: number,
  include: string[],
  executablePath: string,
): TestProjectInlineConfiguration {
  const { FC_SEED, FC_RUNS } = process.env;
  return {
    resolve: { alias: aliases },
    define: { 'process.env': JSON.stringify({ TFJS_BACKEND: backend, FC_SEED, FC_RUNS }) },
    optimizeDeps: {
      // Found while a test runs, they would make Vite load the page anew.
      include: [
        '@tensorflow/tfjs',
        '@tensorflow/tfjs-backend-wasm',
        '@tensorflow/tfjs-backend-webgpu',
        '@tensorflow/tfjs-core',
        '@tensorflow/tfjs-layers',
        'fast-check',
        'fflate',
      ],
    },
    test: {
      // The project that runs is that of the instance below; no two may have one name.
      name: `${backend} in Chromium`,
      include: [...include, ofBackend(backend)],
      setupFiles: ['test/setup.ts'],
      globalSetup: ['test/checkpoint/fileServer.ts'],
      ...timeouts,
      sequence: { groupOrder },
      maxWorkers,
      browser: {
        enabled: true,
        fileParallelism: false,
        headless: true,
        screenshotFailures: false,
        provider: playwright({
          launchOptions: { executablePath, args: chromiumFlags(backend) },
        }),
        instances: [{ browser: 'chromium', name: backend }],
      },
    },
  };
}

function browserProjects(): TestProjectInlineConfiguration[] {
  const chromium = findChromium();
  if (chromium === null) {
    console.warn('No Chromium: the tests on webgl and webgpu, and of what browsers store, are left out.');
    return [];
  }
  return [
    browserProject('webgl', first, [...kernels, ...laws, ...onGPU, ...inBrowsers], chromium),
    browserProject('webgpu', second, [...kernels, ...onGPU], chromium),
  ];
}

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      project('once', 'cpu', first, once, inBrowsers, false),
      ...onBackend('cpu'),
      ...onBackend('wasm'),
      ...browserProjects(),
    ],
  },
});
