import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

// The rules of docs/architecture.md, read off the sources.

const root = fileURLToPath(new URL('../src/', import.meta.url));

/** `arrows[a]` are the folders that files of folder a may import; everybody may import `core/`. */
const arrows: Record<string, readonly string[]> = {
  core: [],
  engine: [],
  ops: ['engine'],
  nn: ['engine', 'ops'],
  kernels: ['engine', 'ops'],
  parametrize: ['engine', 'nn'],
  parametrizations: ['parametrize', 'nn', 'kernels', 'ops'],
  legacy: ['parametrizations', 'parametrize', 'nn'],
  stateDict: ['parametrize', 'nn', 'engine'],
  model: ['stateDict', 'parametrizations', 'parametrize', 'nn', 'ops', 'engine'],
  decorators: ['model', 'stateDict', 'parametrize', 'nn'],
  layers: ['checkpoint', 'model', 'stateDict', 'parametrizations', 'parametrize', 'nn', 'kernels', 'engine'],
  checkpoint: ['engine', 'model', 'stateDict', 'nn'],
  cli: ['checkpoint', 'stateDict', 'nn'],
  finetune: ['checkpoint', 'model', 'stateDict', 'parametrizations', 'parametrize', 'nn', 'ops', 'engine'],
  'index.ts': ['model', 'nn.ts', 'parametrizations', 'parametrize'],
  'nn.ts': ['nn'],
};

/** Packages that one folder only may import; `@tensorflow/tfjs-core` is everybody's. */
const packages: Record<string, readonly string[]> = {
  checkpoint: ['fflate'],
  cli: ['@tensorflow/tfjs-backend-cpu'],
  decorators: ['reflect-metadata'],
  layers: ['@tensorflow/tfjs-layers'],
};

const lineLimit = 250;

/** The columns of a comment. Biome wraps code, and leaves comments as they are. */
const commentWidth = 120;

/** What only `engine/` may touch: the engine of tfjs, and what tfjs and tfjs-layers do not document. */
const engineInternals = [
  /\bengine\(\)|_tfengine/,
  /(?<!\.\.)\.(scopeId|kept|isDisposedInternal)\b/,
  /\boriginalName\b|\baccumulated[A-Z]/,
  /\b(_trainableWeights|_nonTrainableWeights|_refCount|inboundNodes|outboundNodes)\b/,
  /\b(collectedTrainableWeights|makeTrainFunction|SerializationMap)\b/,
];

/** Questions which backend runs: kernels are made for backends by name, and the command line chooses one. */
const backendQuestions = /\bgetBackend\(|\bisWasm\(/;

/** Synchronous reads of tensor data: impossible on webgpu, a stall on webgl. */
const synchronousReads = /\b(dataSync|arraySync|bufferSync|readSync)\b/;

interface SourceFile {
  /** Path below src, with forward slashes. */
  readonly path: string;
  readonly folder: string;
  readonly lines: number;
  /** The lines that are comments and nothing else. */
  readonly comments: readonly string[];
  /** The JavaScript that remains: no types, no comments, no type-only imports. */
  readonly code: string;
  /** Everything that is imported, also types. */
  readonly imports: readonly string[];
  /** What is imported when the program runs. */
  readonly runtimeImports: readonly string[];
}

const folderOf = (path: string): string => path.split('/')[0]!;

function readSource(path: string): SourceFile {
  const text = readFileSync(join(root, path), 'utf8');
  const { outputText } = ts.transpileModule(text, {
    fileName: join(root, path),
    compilerOptions: {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
      verbatimModuleSyntax: true,
      removeComments: true,
    },
  });
  return {
    path,
    folder: folderOf(path),
    lines: text.trimEnd().split('\n').length,
    comments: text.split('\n').filter((line) => /^\s*(\/\/|\/?\*)/.test(line)),
    code: outputText,
    imports: importsOf(path, text),
    runtimeImports: importsOf(path, outputText),
  };
}

/** The files (as paths below src) and packages that a module names in its imports and exports. */
function importsOf(path: string, text: string): string[] {
  return ts.preProcessFile(text, true, true).importedFiles.map(({ fileName }) => {
    if (!fileName.startsWith('.')) return fileName;
    return relative(root, join(root, dirname(path), fileName)).replaceAll(sep, '/');
  });
}

const sources = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .map((path) => path.replaceAll(sep, '/'))
  .filter((path) => path.endsWith('.ts'))
  .sort()
  .map(readSource);
const byPath = new Map(sources.map((source) => [source.path, source]));
const isFile = (imported: string): boolean => byPath.has(imported);

/** All that a file needs when it runs, through every file that it imports. */
function closure(path: string, found = new Set<string>()): Set<string> {
  for (const imported of byPath.get(path)?.runtimeImports ?? []) {
    if (found.has(imported)) continue;
    found.add(imported);
    closure(imported, found);
  }
  return found;
}

/** One line for each thing that breaks a rule, so that a failing test names all of them. */
const violations = (find: (source: SourceFile) => readonly string[]): string[] =>
  sources.flatMap((source) => find(source).map((fact) => `${source.path}: ${fact}`));

describe('the sources', () => {
  it('are in folders that the architecture knows', () => {
    expect(violations(({ folder }) => (folder in arrows ? [] : [folder]))).toEqual([]);
  });

  it('import files that exist', () => {
    const isLost = (imported: string): boolean => /\.[jt]s$/.test(imported) && !isFile(imported);
    expect(violations(({ imports }) => imports.filter(isLost))).toEqual([]);
  });

  it('import only the folders below their own', () => {
    const broken = violations(({ folder, imports }) => {
      const allowed = [folder, 'core', ...(arrows[folder] ?? [])];
      return imports.filter((imported) => isFile(imported) && !allowed.includes(folderOf(imported)));
    });
    expect(broken).toEqual([]);
  });

  it('never import the index of their own folder', () => {
    const broken = violations(({ path, folder, imports }) =>
      path === 'index.ts' ? [] : imports.filter((imported) => imported === `${folder}/index.ts`),
    );
    expect(broken).toEqual([]);
  });

  // Type-only imports are exempt: they are erased, so that no order of evaluation can go wrong. Two types that name each
  // other (a module and its hooks) are one concept in two files.
  it('have no cycle of imports that run', () => {
    const cycles = sources.filter(({ path }) => closure(path).has(path)).map(({ path }) => path);
    expect(cycles).toEqual([]);
  });

  // Bundlers leave out what is imported for its effect alone, unless `sideEffects` in package.json names it.
  it('import no file for its effect alone', () => {
    const effects = violations(({ code }) => linesWith(code, (line) => /^\s*import\s*['"]/.test(line)));
    expect(effects).toEqual(["decorators/classMetadata.ts: import 'reflect-metadata';"]);
  });

  it('import kernels for one backend from the index of kernels only', () => {
    const isBackendFile = (imported: string): boolean =>
      /^kernels\/.*\/(cpu|wasm|webgl|webgpu)\.ts$/.test(imported);
    const broken = violations(({ path, imports }) =>
      path === 'kernels/index.ts' ? [] : imports.filter(isBackendFile),
    );
    expect(broken).toEqual([]);
  });

  it('of an operation with kernels import nothing of another operation, and what they share imports none', () => {
    const operationOf = (path: string): string | undefined => /^kernels\/(\w+Norm)\//.exec(path)?.[1];
    const broken = violations(({ path, folder, imports }) =>
      folder !== 'kernels' || path === 'kernels/index.ts'
        ? []
        : imports.filter((imported) => ![undefined, operationOf(path)].includes(operationOf(imported))),
    );
    expect(broken).toEqual([]);
  });

  it('import no package but tfjs-core, which core/ does without, and those of their own folder', () => {
    const broken = violations(({ folder, imports }) => {
      const allowed = folder === 'core' ? [] : ['@tensorflow/tfjs-core', ...(packages[folder] ?? [])];
      const external = imports.filter((imported) => !isFile(imported) && !allowed.includes(imported));
      return folder === 'cli' || folder === 'checkpoint'
        ? external.filter((imported) => !imported.startsWith('node:'))
        : external;
    });
    expect(broken).toEqual([]);
  });

  it.each(['index.ts', 'nn/index.ts', 'legacy/index.ts'])(
    'of the entry %s need tfjs-core and nothing else',
    (entry) => {
      const external = [...closure(entry)].filter((imported) => !isFile(imported));
      expect(external).toEqual(['@tensorflow/tfjs-core']);
    },
  );

  it('of the entry decorators/index.ts need reflect-metadata besides', () => {
    const external = [...closure('decorators/index.ts')].filter((imported) => !isFile(imported));
    expect(external.sort()).toEqual(['@tensorflow/tfjs-core', 'reflect-metadata']);
  });

  // Two folders that import each other's types are one concept in two places, whatever runs first.
  it('have folders that import each other in one direction, types and subfolders too', () => {
    expect(circles()).toEqual([]);
  });

  it('ask which backend runs in engine, ops and kernels only, and name none in ops', () => {
    const askers = ['engine', 'ops', 'kernels', 'cli'];
    const broken = violations(({ folder, code }) => [
      ...(askers.includes(folder) ? [] : linesWith(code, (line) => backendQuestions.test(line))),
      ...(folder === 'ops'
        ? linesWith(code, (line) => /getBackend|['"](cpu|wasm|webgl|webgpu)['"]/.test(line))
        : []),
    ]);
    expect(broken).toEqual([]);
  });

  it('touch the internals of tfjs in engine only', () => {
    const broken = violations(({ folder, code }) =>
      folder === 'engine' ? [] : linesWith(code, (line) => engineInternals.some((part) => part.test(line))),
    );
    expect(broken).toEqual([]);
  });

  it('never read tensor data synchronously', () => {
    expect(violations(({ code }) => linesWith(code, (line) => synchronousReads.test(line)))).toEqual([]);
  });

  it(`are at most ${lineLimit} lines long`, () => {
    const broken = violations(({ lines }) => (lines > lineLimit ? [`${lines} lines`] : []));
    expect(broken).toEqual([]);
  });

  it(`have comments of at most ${commentWidth} columns`, () => {
    const broken = violations(({ comments }) => comments.filter((line) => line.length > commentWidth));
    expect(broken).toEqual([]);
  });
});

/** The concept that a file belongs to: its subfolder, or itself where it stands outside of one. */
const conceptOf = (path: string): string => path.split('/').slice(0, 2).join('/');

/** The pairs of concepts that reach each other by imports, as `a -> b`. */
function circles(): string[] {
  const edges = new Map<string, Set<string>>();
  for (const { path, imports } of sources) {
    const from = conceptOf(path);
    if (!edges.has(from)) edges.set(from, new Set());
    for (const imported of imports.filter(isFile)) edges.get(from)!.add(conceptOf(imported));
    edges.get(from)!.delete(from);
  }
  const reach = (from: string, found = new Set<string>()): Set<string> => {
    for (const to of edges.get(from) ?? []) {
      if (found.has(to)) continue;
      found.add(to);
      reach(to, found);
    }
    return found;
  };
  // Two types in files of one folder that name each other are one concept.
  const isFolder = (concept: string): boolean => !byPath.has(concept);
  return [...edges].flatMap(([from, to]) =>
    [...to]
      .filter((other) => reach(other).has(from) && (isFolder(from) || isFolder(other)))
      .map((other) => `${from} -> ${other}`),
  );
}

function linesWith(code: string, wanted: (line: string) => boolean): string[] {
  return code
    .split('\n')
    .filter(wanted)
    .map((line) => line.trim());
}
