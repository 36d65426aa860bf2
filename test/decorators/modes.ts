import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { root } from '../markdown.ts';
import { byEsbuild, byOxc, bySwc, byTsc, type Compile, type Settings } from './compilers.ts';

/** One way in which people compile decorators. */
export interface Mode {
  readonly name: string;
  readonly compile: Compile;
  /** Whether fields are assigned, in the constructor, instead of defined. */
  readonly assigns: boolean;
  /** Whether the classes have the class decorator. */
  readonly classDecorator: boolean;
}

const standard: Settings = { useDefineForClassFields: true };
const legacy = (useDefineForClassFields: boolean): Settings => ({
  experimentalDecorators: true,
  useDefineForClassFields,
});
const withTypes = (settings: Settings): Settings => ({ ...settings, emitDecoratorMetadata: true });

const mode = (name: string, compile: Compile, { assigns = false, classDecorator = false } = {}): Mode => ({
  name,
  compile,
  assigns,
  classDecorator,
});

/** Standard decorators. */
export const standardModes: readonly Mode[] = [
  mode('standard, tsc', byTsc(standard)),
  mode('standard, tsc for ES2017', byTsc(standard, ts.ScriptTarget.ES2017)),
  mode('standard, esbuild', byEsbuild(standard)),
  mode('standard, swc 2023-11', bySwc('2023-11')),
  mode('standard, class decorator, tsc', byTsc(standard), { classDecorator: true }),
];

const assigned = { assigns: true };
const decorated = { classDecorator: true };

/** Legacy decorators, where they work. */
export const legacyModes: readonly Mode[] = [
  mode('legacy, assigned, tsc', byTsc(legacy(false)), assigned),
  mode('legacy, assigned, tsc with types', byTsc(withTypes(legacy(false))), assigned),
  mode('legacy, assigned, esbuild', byEsbuild(legacy(false)), assigned),
  mode('legacy, assigned, swc', bySwc(withTypes(legacy(false))), assigned),
  mode('legacy, assigned, oxc', byOxc(legacy(false)), assigned),
  mode('legacy, assigned, oxc with types', byOxc(withTypes(legacy(false))), assigned),
  mode('legacy, assigned, class decorator, tsc', byTsc(legacy(false)), { ...assigned, ...decorated }),
  mode('legacy, defined, class decorator, tsc', byTsc(legacy(true)), decorated),
  mode('legacy, defined, class decorator, tsc with types', byTsc(withTypes(legacy(true))), decorated),
  mode(
    'legacy, defined, class decorator, tsc for ES2017',
    byTsc(legacy(true), ts.ScriptTarget.ES2017),
    decorated,
  ),
  mode('legacy, defined, class decorator, esbuild', byEsbuild(legacy(true)), decorated),
  mode('legacy, defined, class decorator, swc', bySwc(legacy(true)), decorated),
  mode('legacy, defined, class decorator, oxc', byOxc(legacy(true)), decorated),
];

/** Legacy decorators whose fields are defined behind their backs. */
export const bypassedModes: readonly Mode[] = [
  mode('legacy, defined, tsc', byTsc(legacy(true))),
  mode('legacy, defined, tsc with types', byTsc(withTypes(legacy(true)))),
  mode('legacy, defined, tsc for ES2017', byTsc(legacy(true), ts.ScriptTarget.ES2017)),
  mode('legacy, defined, esbuild', byEsbuild(legacy(true))),
  mode('legacy, defined, swc', bySwc(legacy(true))),
  mode('legacy, defined, oxc', byOxc(legacy(true))),
];

/** The proposal that swc takes for standard decorators if it is not told otherwise. */
export const earlyMode: Mode = mode('early, swc 2022-03', bySwc('2022-03'));

const programs = new URL('programs/', import.meta.url);

/** A program of `programs/`, compiled in a mode and run in this process: on the very sources that the tests import. */
export async function load<T>({ name, compile, classDecorator }: Mode, program: string): Promise<T> {
  const source = readFileSync(new URL(`${program}.ts`, programs), 'utf8');
  const own = classDecorator ? source : source.replace(/^\s*@parametrizedModule\n/gm, '');
  // The compiled program stands elsewhere.
  const text = own.replace(/(?<=from ')\.[^']*/g, (path) => fileURLToPath(new URL(path, programs)));
  const cache = join(root, '.cache');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'decorators-'));
  try {
    const file = join(folder, `${name.replace(/\W+/g, '-')}.mjs`);
    writeFileSync(file, compile(text));
    return (await import(/* @vite-ignore */ file)) as T;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
