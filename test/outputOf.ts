import { spawn } from 'node:child_process';
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { transform } from 'esbuild';
import { root } from './markdown.ts';
import { packageFolder } from './packageFolder.ts';
import { typeErrors } from './typeErrors.ts';

/**
 * What a program prints when it is run on the package, in a folder with copies of these files; throws if it fails or does not
 * compile. Node.js runs it without a loader, which would parse all of tfjs once more.
 */
export async function outputOf(
  program: string,
  files: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { folder, remove } = await packageFolder();
  try {
    const file = join(folder, 'program.ts');
    const text = `${program}\nexport {};\n`;
    writeFileSync(file, text);
    for (const [name, path] of Object.entries(files)) copyFileSync(join(root, path), join(folder, name));
    const errors = typeErrors(file);
    if (errors.length > 0) throw new Error(`the program does not compile:\n${errors.join('\n')}`);
    const compiled = join(folder, 'program.mjs');
    // Standard decorators, which esbuild lowers.
    const { code } = await transform(text, { loader: 'ts', target: 'es2022', tsconfigRaw: {} });
    writeFileSync(compiled, code);
    return await run(compiled, folder);
  } finally {
    remove();
  }
}

function run(file: string, cwd: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [file], { cwd });
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
