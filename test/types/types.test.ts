import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

/** What the compiler says of one file under the settings of the tests, as `line: message`. */
function diagnosticsOf(file: string): string[] {
  const config = ts.getParsedCommandLineOfConfigFile(path('../tsconfig.json'), undefined, {
    ...ts.sys,
    onUnRecoverableConfigFileDiagnostic: (diagnostic) => {
      throw new Error(String(diagnostic.messageText));
    },
  })!;
  const program = ts.createProgram([file], config.options);
  return ts
    .getPreEmitDiagnostics(program, program.getSourceFile(file)!)
    .map(({ start, messageText, file: source }) => {
      const { line } = source!.getLineAndCharacterOfPosition(start ?? 0);
      return `${line + 1}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
    });
}

describe.runIf(process.env['TFJS_BACKEND'] === 'cpu')('the types', () => {
  it('let programs that make sense compile, and no others', () => {
    expect(diagnosticsOf(path('programs.ts'))).toEqual([]);
  });
});
