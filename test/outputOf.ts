import { spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './markdown.ts';
import { typeErrors } from './typeErrors.ts';

/**
 * What a program prints when it is run on the sources of the package, in a folder with copies of these files; throws if it fails
 * or does not compile.
 */
export async function outputOf(
  program: string,
  files: Readonly<Record<string, string>> = {},
): Promise<string> {
  const cache = join(root, '.cache');
  mkdirSync(cache, { recursive: true });
  // Inside the repository, where packages are found.
  const folder = mkdtempSync(join(cache, 'program-'));
  try {
    const file = join(folder, 'program.ts');
    writeFileSync(file, `${program}\nexport {};\n`);
    for (const [name, path] of Object.entries(files)) copyFileSync(join(root, path), join(folder, name));
    const errors = typeErrors(file);
    if (errors.length > 0) throw new Error(`the program does not compile:\n${errors.join('\n')}`);
    return await run(file, folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function run(file: string, cwd: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), file], {
      cwd,
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
