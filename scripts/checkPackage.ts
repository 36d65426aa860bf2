/**
 * Packs the package as `npm publish` does, but for the build, and checks what users would install: its entries, their types
 * under each way to resolve modules, and the declarations. The checks run side by side.
 *
 *     npm run package
 */
import { exec } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../', import.meta.url));

interface Result {
  readonly command: string;
  readonly code: number;
  readonly output: string;
}

/** Runs a command of a shell, which finds the programs of `node_modules` as npm has put them on the PATH. */
const run = (command: string): Promise<Result> =>
  new Promise((resolve) => {
    exec(command, { cwd: root, maxBuffer: 2 ** 26 }, (error, stdout, stderr) =>
      resolve({ command, code: error === null ? 0 : (error.code ?? 1), output: stdout + stderr }),
    );
  });

/** Prints what a command has printed, and keeps a failure for the end. */
function report({ command, code, output }: Result): void {
  console.log(`$ ${command}\n${output.trim()}\n`);
  if (code !== 0) {
    console.error(`${command}: failed with ${code}`);
    process.exitCode = 1;
  }
}

const folder = mkdtempSync(join(tmpdir(), 'package-'));
try {
  // The package is built: `prepack` would do it again.
  const packed = await run(`npm pack --silent --ignore-scripts --pack-destination "${folder}"`);
  const file = readdirSync(folder)[0];
  if (packed.code !== 0 || file === undefined) {
    report({ ...packed, code: packed.code || 1 });
  } else {
    const tarball = join(folder, file);
    const checks = [
      `attw "${tarball}" --profile esm-only`,
      `publint run "${tarball}" --strict`,
      'tsx scripts/checkDeclarations.ts',
    ];
    for (const result of await Promise.all(checks.map(run))) report(result);
  }
} finally {
  rmSync(folder, { recursive: true });
}
