import { readFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import process from 'node:process';
import ts from 'typescript';

// Checks the declarations in dist/ as a program without `skipLibCheck` sees them: what `stripInternal` leaves out must not be
// missing anywhere, and no public class may show what is marked as internal.

const dist = resolve(import.meta.dirname, '../dist');
const { exports } = JSON.parse(readFileSync(resolve(dist, '../package.json'), 'utf8')) as {
  exports: Record<string, string | { types: string }>;
};
const entries = Object.values(exports).flatMap((entry) =>
  typeof entry === 'string' ? [] : [resolve(dist, '..', entry.types)],
);

const program = ts.createProgram(entries, {
  target: ts.ScriptTarget.ES2022,
  lib: ['lib.es2022.d.ts', 'lib.esnext.disposable.d.ts', 'lib.dom.d.ts'],
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  types: [],
  strict: true,
  noEmit: true,
});
const own = program.getSourceFiles().filter(({ fileName }) => fileName.startsWith(`${dist}/`));
const problems = own.flatMap((file) => {
  const path = relative(process.cwd(), file.fileName);
  const errors = [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)];
  const texts = errors.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '));
  if (file.text.includes('@internal')) texts.push('shows what is marked @internal');
  return texts.map((text) => `${path}: ${text}`);
});

for (const problem of problems) console.error(problem);
console.log(`Declaration files: ${own.length}, problems: ${problems.length}`);
process.exitCode = problems.length === 0 ? 0 : 1;
