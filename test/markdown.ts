import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

/** The root of the repository. */
export const root = fileURLToPath(new URL('../', import.meta.url));

/** The text of a file of the repository. */
export const read = (path: string): string => readFileSync(join(root, path), 'utf8');

/** The fenced code blocks of one language, joined: a document is one program and what it prints. */
export function codeBlocks(markdown: string, language: string): string {
  const fences = markdown.matchAll(/^```(\w+)\n(.*?)^```$/gms);
  return [...fences]
    .filter(([, info]) => info === language)
    .map(([, , code]) => code)
    .join('');
}

/** The paths of the files of the repository that a document links to. */
export function linkedFiles(path: string): string[] {
  const links = read(path).matchAll(/\]\(([^)\s]+)\)/g);
  return [...links]
    .map(([, target]) => target!)
    .filter((target) => !/^(https?:|#)/.test(target))
    .map((target) => join(dirname(path), target.replace(/#.*/, '')));
}

/** What a program prints when it is run on the sources of the package; throws if it fails or does not compile. */
export async function outputOf(program: string): Promise<string> {
  const cache = join(root, '.cache');
  mkdirSync(cache, { recursive: true });
  // Inside the repository, where packages are found.
  const folder = mkdtempSync(join(cache, 'program-'));
  try {
    const file = join(folder, 'program.ts');
    writeFileSync(file, `${program}\nexport {};\n`);
    checkTypes(file);
    return await run(file);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function checkTypes(file: string): void {
  const config = join(root, 'test/tsconfig.json');
  const { options } = ts.parseJsonConfigFileContent(
    ts.readConfigFile(config, ts.sys.readFile).config,
    ts.sys,
    dirname(config),
  );
  const program = ts.createProgram([file], options);
  const diagnostics = ts.getPreEmitDiagnostics(program, program.getSourceFile(file));
  if (diagnostics.length === 0) return;
  throw new Error(
    ts.formatDiagnostics(diagnostics, {
      getCanonicalFileName: (name) => name,
      getCurrentDirectory: () => root,
      getNewLine: () => '\n',
    }),
  );
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
