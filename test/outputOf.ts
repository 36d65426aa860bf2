import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './markdown.ts';
import { typeErrors } from './typeErrors.ts';

/** What a program prints when it is run on the sources of the package; throws if it fails or does not compile. */
export async function outputOf(program: string): Promise<string> {
  const cache = join(root, '.cache');
  mkdirSync(cache, { recursive: true });
  // Inside the repository, where packages are found.
  const folder = mkdtempSync(join(cache, 'program-'));
  try {
    const file = join(folder, 'program.ts');
    writeFileSync(file, `${program}\nexport {};\n`);
    const errors = typeErrors(file);
    if (errors.length > 0) throw new Error(`the program does not compile:\n${errors.join('\n')}`);
    return await run(file);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function run(file: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), file], {
      env: { ...process.env, TSX_TSCONFIG_PATH: join(root, 'test/tsconfig.json') },
    });
    let output = '';
    let errors = '';
    child.stdout.on('data', (data) => {
      output += data;
    });
    child.stderr.on('data', (data) => {
      errors += data;
    });
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(output);
      else reject(new Error(`the program ended with ${code}:\n${errors}`));
    });
  });
}
