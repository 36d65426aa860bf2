/**
 * Compiles the AssemblyScript in `assembly/` and writes it into `src`, as text: a package that fetches nothing works
 * wherever its JavaScript does.
 *
 *     npm run build:wasm
 *
 * JavaScript, which Node.js runs as it is: tsx would parse the 14 MB of the compiler, which takes six times as long.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const root = fileURLToPath(new URL('../', import.meta.url));

/** The file in `src` that holds the compiled module. */
export const embeddedFile = `${root}src/kernels/simd/simdModule.ts`;

const options = [
  ['--optimizeLevel', '3', '--shrinkLevel', '0', '--noAssert'],
  // The memory is the caller's, of the size that tfjs declares for its own.
  ['--importMemory', '--noExportMemory', '--maximumMemory', '65536'],
  ['--runtime', 'stub', '--enable', 'simd'],
].flat();

/**
 * @param {readonly string[]} more
 * @returns {Promise<Uint8Array>}
 */
async function compile(more) {
  /** @type {Uint8Array | undefined} */
  let binary;
  const { error, stderr } = await asc.main(
    ['assembly/weightNorm.ts', '--baseDir', root, '--outFile', 'out.wasm', ...options, ...more],
    {
      writeFile: (_, contents) => {
        if (typeof contents !== 'string') binary = contents;
      },
    },
  );
  if (error !== null || binary === undefined) throw new Error(`asc failed:\n${stderr.toString()}`);
  return binary;
}

/**
 * Returns the TypeScript that holds the compiled module.
 *
 * @returns {Promise<string>}
 */
export async function embedded() {
  const own = await compile([]);
  const shared = await compile(['--sharedMemory', '--enable', 'threads']);
  const different = [...own.keys()].filter((i) => own[i] !== shared[i]);
  if (own.length !== shared.length || different.length !== 1) {
    throw new Error('Shared memory is expected to change one byte of the module, the limits of its memory.');
  }
  const text = Buffer.from(own).toString('base64');
  const lines = (text.match(/.{1,100}/g) ?? []).map((line) => `  '${line}'`);
  return [
    '// Compiled from assembly/weightNorm.ts by `npm run build:wasm`. Do not edit.',
    '',
    '/** The module, ready for a memory of its own or of one thread. */',
    `export const simdModule =\n${lines.join(' +\n')};`,
    '',
    '/** The position of the byte that is 3 if the memory is shared, and 1 if not. */',
    `export const memoryLimitsAt = ${different[0]};`,
    '',
  ].join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const text = await embedded();
  // Other programs may read the file meanwhile, and see it empty while it is written.
  if (!existsSync(embeddedFile) || readFileSync(embeddedFile, 'utf8') !== text)
    writeFileSync(embeddedFile, text);
}
