import { transformSync as swc } from '@swc/core';
import { transformSync as esbuild } from 'esbuild';
import { transformSync as oxc } from 'oxc-transform';
import ts from 'typescript';

/** What the options of `tsconfig.json` are called everywhere. */
export interface Settings {
  readonly experimentalDecorators?: true;
  readonly emitDecoratorMetadata?: true;
  readonly useDefineForClassFields: boolean;
}

/** Compiles a TypeScript program to the JavaScript that Node.js 20 runs. */
export type Compile = (program: string) => string;

const file = 'program.ts';

/** By `tsc`, for ES2022 unless told otherwise. */
export const byTsc =
  (settings: Settings, target = ts.ScriptTarget.ES2022): Compile =>
  (program) =>
    ts.transpileModule(program, {
      fileName: file,
      compilerOptions: { ...settings, target, module: ts.ModuleKind.ESNext },
    }).outputText;

/** By esbuild, which tsx, tsup and Vite 7 use too. */
export const byEsbuild =
  (settings: Settings): Compile =>
  (program) =>
    esbuild(program, {
      loader: 'ts',
      sourcefile: file,
      target: 'node20',
      tsconfigRaw: { compilerOptions: settings },
    }).code;

/** By swc: `decoratorVersion` for standard decorators, settings for legacy ones. */
export const bySwc =
  (mode: '2022-03' | '2023-11' | Settings): Compile =>
  (program) =>
    swc(program, {
      filename: file,
      swcrc: false,
      configFile: false,
      module: { type: 'es6' },
      jsc: {
        target: 'es2022',
        parser: { syntax: 'typescript', decorators: true },
        transform:
          typeof mode === 'string'
            ? { decoratorVersion: mode }
            : {
                legacyDecorator: true,
                decoratorMetadata: mode.emitDecoratorMetadata === true,
                useDefineForClassFields: mode.useDefineForClassFields,
              },
      },
    }).code;

/** By oxc, which Vite 8 (and vitest on it) uses, with the options that Vite makes of a `tsconfig.json`. */
export const byOxc =
  (settings: Settings): Compile =>
  (program) => {
    const { code, errors } = oxc(file, program, {
      target: 'es2022',
      ...(settings.experimentalDecorators && {
        decorator: { legacy: true, emitDecoratorMetadata: settings.emitDecoratorMetadata === true },
      }),
      ...(!settings.useDefineForClassFields && {
        assumptions: { setPublicClassFields: true },
        typescript: { removeClassFieldsWithoutInitializer: true },
      }),
    });
    if (errors.length > 0) throw new Error(errors.map(({ message }) => message).join('\n'));
    return code;
  };
