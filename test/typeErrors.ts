import { dirname, join } from 'node:path';
import ts from 'typescript';
import { root } from './markdown.ts';

const config = join(root, 'test/tsconfig.json');
let options: ts.CompilerOptions | undefined;

// Parsing the package, tfjs and the libraries takes seconds, the program that is checked milliseconds: all programs of one
// process share the parsed files. Only the checked file itself may change.
const parsed = new Map<string, ts.SourceFile | undefined>();
let previous: ts.Program | undefined;

/** Returns the errors of one TypeScript file, as `line: message`, under the settings of the tests and some others. */
export function typeErrors(file: string, settings: ts.CompilerOptions = {}): string[] {
  options ??= ts.parseJsonConfigFileContent(
    ts.readConfigFile(config, ts.sys.readFile).config,
    ts.sys,
    dirname(config),
  ).options;
  const host = ts.createCompilerHost({ ...options, ...settings });
  const { getSourceFile } = host;
  // Settings such as `useDefineForClassFields` change how a file is bound.
  const variant = JSON.stringify(settings);
  host.getSourceFile = (name, ...rest) => {
    if (name === file) return getSourceFile(name, ...rest);
    const key = `${variant} ${name}`;
    if (!parsed.has(key)) parsed.set(key, getSourceFile(name, ...rest));
    return parsed.get(key);
  };
  const program = ts.createProgram([file], { ...options, ...settings }, host, previous);
  if (variant === '{}') previous = program;
  return ts
    .getPreEmitDiagnostics(program, program.getSourceFile(file))
    .map(({ start, messageText, file: source }) => {
      const line = source === undefined ? 0 : source.getLineAndCharacterOfPosition(start ?? 0).line + 1;
      return `${line}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
    });
}
