import Table from 'cli-table3';
import { printable } from '../checkpoint/checkpointError.ts';
import type { CheckpointFile } from '../checkpoint/checkpointFile.ts';
import { normalizedNames } from '../checkpoint/normalizedNames.ts';
import { openCheckpoint } from '../checkpoint/openCheckpoint.ts';
import { recipeIn } from '../checkpoint/recipeText.ts';
import { sizeOf } from '../checkpoint/storedTensor.ts';
import { below } from './fileView.ts';
import type { Terminal } from './run.ts';

/** Options of `inspect`. */
export interface InspectOptions {
  readonly prefix?: string;
  readonly json?: boolean;
}

/** Prints what is in a file, without reading its tensors. */
export async function inspect(path: string, options: InspectOptions, terminal: Terminal): Promise<void> {
  const file = await openCheckpoint('inspect', path);
  try {
    const facts = factsOf(below(file, options.prefix));
    terminal.out(options.json ? JSON.stringify(facts, null, 2) : textOf(facts));
  } finally {
    await file.close();
  }
}

interface Facts {
  readonly format: string;
  readonly tensors: readonly { name: string; dtype: string; shape: readonly number[]; elements: number }[];
  readonly parametrized: readonly { name: string; by: string; spelling: string; parts: readonly string[] }[];
  readonly tied: readonly (readonly string[])[];
  /** Elements of all tensors, tied ones once. */
  readonly elements: number;
  readonly metadata: Readonly<Record<string, string>>;
}

function factsOf(file: CheckpointFile): Facts {
  const tensors = file.names.map((name) => {
    const { dtype, shape } = file.info(name);
    return { name, dtype, shape, elements: sizeOf(shape) };
  });
  const again = new Set(file.ties.flatMap((group) => group.slice(1)));
  const recipe = recipeIn(file.metadata) ?? [];
  const stepsOf = (name: string): string | undefined =>
    recipe
      .find(({ path, tensor }) => name === (path === '' ? tensor : `${path}.${tensor}`))
      ?.steps.map(({ kind }) => kind)
      .join(' → ');
  const parametrized = normalizedNames(file).map((group) => ({
    name: group.name,
    by: stepsOf(group.name) ?? group.kind,
    spelling: group.kind === 'unknown' ? 'modern' : group.spelling,
    parts: group.parts,
  }));
  return {
    format: file.format,
    tensors,
    parametrized,
    tied: file.ties,
    elements: tensors.reduce((sum, { name, elements }) => (again.has(name) ? sum : sum + elements), 0),
    metadata: file.metadata,
  };
}

function textOf({ format, tensors, parametrized, tied, elements, metadata }: Facts): string {
  const shapeText = (shape: readonly number[]): string => `[${shape.join(', ')}]`;
  const parts = [
    tableOf(
      ['tensor', 'type', 'shape', 'elements'],
      tensors.map(({ name, dtype, shape, elements: count }) => [
        name,
        dtype,
        shapeText(shape),
        String(count),
      ]),
    ),
  ];
  if (parametrized.length > 0) {
    parts.push(
      tableOf(
        ['parametrized', 'by', 'spelling', 'parts'],
        parametrized.map((group) => [group.name, group.by, group.spelling, String(group.parts.length)]),
      ),
    );
  }
  for (const group of tied) parts.push(`tied: ${group.map(printable).join(' = ')}`);
  for (const [key, text] of Object.entries(metadata)) {
    const start = text.length > 60 ? `${text.slice(0, 60)}… (${text.length} characters)` : text;
    parts.push(`metadata ${printable(key)}: ${printable(start)}`);
  }
  const shared = tied.length === 0 ? '' : ', tied ones once';
  parts.push(`${format}: ${tensors.length} tensors, ${elements.toLocaleString('en')} elements${shared}`);
  return parts.join('\n');
}

function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  // Without colours: what is printed may go into a file.
  const lines = { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' };
  const table = new Table({ head: [...head], style: { head: [], border: [] }, chars: lines });
  table.push(...rows.map((row) => row.map(printable)));
  return table.toString();
}
