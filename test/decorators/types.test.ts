import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { root } from '../markdown.ts';

/** What the compiler says of a program of `programs/` under the settings of the tests and some others. */
function diagnosticsOf(program: string, settings: ts.CompilerOptions): string[] {
  const config = join(root, 'test/tsconfig.json');
  const { options } = ts.parseJsonConfigFileContent(
    ts.readConfigFile(config, ts.sys.readFile).config,
    ts.sys,
    dirname(config),
  );
  const file = fileURLToPath(new URL(`programs/${program}.ts`, import.meta.url));
  const checked = ts.createProgram([file], { ...options, ...settings });
  return ts
    .getPreEmitDiagnostics(checked, checked.getSourceFile(file)!)
    .map(({ start, messageText, file: source }) => {
      const { line } = source!.getLineAndCharacterOfPosition(start ?? 0);
      return `${line + 1}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
    });
}

describe.runIf(process.env['TFJS_BACKEND'] === 'cpu')('the types of decorators', () => {
  it.each<[string, ts.CompilerOptions]>([
    ['standard', {}],
    ['legacy, assigned', { experimentalDecorators: true, useDefineForClassFields: false }],
    ['legacy, defined', { experimentalDecorators: true, useDefineForClassFields: true }],
    [
      'legacy with types',
      { experimentalDecorators: true, emitDecoratorMetadata: true, useDefineForClassFields: false },
    ],
  ])('let declarations that make sense compile, and no others: %s', (_, settings) => {
    expect(diagnosticsOf('types', settings)).toEqual([]);
  });
});
