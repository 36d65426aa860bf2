import { printable } from '../checkpoint/checkpointError.ts';
import { type ParametrizedWeight, parametrizedWeights } from '../checkpoint/convert/parametrizedWeights.ts';
import type { CheckpointFile } from '../checkpoint/file/checkpointFile.ts';
import { openCheckpoint } from '../checkpoint/file/openCheckpoint.ts';
import { placeholderNote } from '../checkpoint/load/checkpointReport.ts';
import { optimizerKey } from '../checkpoint/metadata/optimizerNames.ts';
import { optimizerIn } from '../checkpoint/metadata/optimizerText.ts';
import { recipeKey } from '../checkpoint/metadata/recipeText.ts';
import { sizeOf } from '../core/shapes.ts';
import { pluralize } from '../core/text.ts';
import { textTable } from '../core/textTable.ts';
import type { RecipeStep, TensorRecipe } from '../stateDict/recipe.ts';
import { below } from './fileView.ts';
import { progressBar } from './progressBar.ts';
import type { Terminal } from './run.ts';

/** Options of `inspect`. */
export interface InspectOptions {
  readonly prefix?: string;
  readonly json?: boolean;
}

/** Prints the contents of a file, without reading its tensors. */
export async function inspect(path: string, options: InspectOptions, terminal: Terminal): Promise<void> {
  const bar = progressBar(terminal);
  try {
    const file = await openCheckpoint('inspect', path, bar.options);
    await file.close();
    bar.stop();
    const facts = factsOf(below(file, options.prefix));
    terminal.out(options.json ? JSON.stringify(facts, null, 2) : textOf(facts));
  } finally {
    bar.stop();
  }
}

interface Parametrized {
  readonly name: string;
  /** The kinds of the steps; `unknown` if neither the names nor a recipe identify them. */
  readonly by: string;
  /** The steps from the recipe, for the tensor and for the tensors that it is computed from. */
  readonly recipe?: readonly Pick<TensorRecipe, 'tensor' | 'steps' | 'frozen'>[];
  readonly keyFormat: string;
  readonly parts: readonly string[];
}

interface Facts {
  readonly format: string;
  readonly tensors: readonly { name: string; dtype: string; shape: readonly number[]; elements: number }[];
  readonly parametrized: readonly Parametrized[];
  readonly tied: readonly (readonly string[])[];
  /** The number of elements of all tensors. A tied tensor counts once. */
  readonly elements: number;
  readonly metadata: Readonly<Record<string, string>>;
  /** The classes and functions of Python in the file. None was run. */
  readonly placeholders: readonly string[];
}

function factsOf(file: CheckpointFile): Facts {
  const tensors = file.names.map((name) => {
    const { dtype, shape } = file.info(name);
    return { name, dtype, shape, elements: sizeOf(shape) };
  });
  const again = new Set(file.ties.flatMap((group) => group.slice(1)));
  return {
    format: file.format,
    tensors,
    parametrized: parametrizedWeights(file).map(parametrized),
    tied: file.ties,
    elements: tensors.reduce((sum, { name, elements }) => (again.has(name) ? sum : sum + elements), 0),
    metadata: file.metadata,
    placeholders: file.placeholders,
  };
}

function parametrized(weight: ParametrizedWeight): Parametrized {
  const { prefix, tensor, keyFormat, hookKeys, parts, recipe } = weight;
  const name = prefix + tensor;
  if (recipe === null) return { name, by: hookKeys?.kind ?? 'unknown', keyFormat, parts };
  const [own] = recipe;
  return {
    name,
    by: own!.steps.map(({ kind }) => kind).join(' → '),
    recipe: recipe.map((entry, i) => ({
      // The paths of this recipe call the tensor `weight`: `parametrizations.weight.original1`.
      tensor: i === 0 ? name : `${prefix}${entry.path.replace('weight', tensor)}.${entry.tensor}`,
      steps: entry.steps,
      ...(entry.frozen && { frozen: entry.frozen }),
    })),
    keyFormat,
    parts,
  };
}

/** Formats `weightNorm(dim=[0], eps=0)`, followed by the steps of parametrized originals. */
function byText({ by, recipe }: Parametrized): string {
  if (recipe === undefined) return by;
  const stepText = ({ kind, options }: RecipeStep): string => {
    const texts = Object.entries(options).map(([option, value]) => `${option}=${JSON.stringify(value)}`);
    return texts.length === 0 ? kind : `${kind}(${texts.join(', ')})`;
  };
  return recipe
    .map(({ tensor, steps, frozen }, i) => {
      const note = frozen === undefined ? '' : `, frozen: ${frozen.join(', ')}`;
      const chain = steps.map(stepText).join(' → ') + note;
      return i === 0 ? chain : `${tensor.slice(tensor.lastIndexOf('.') + 1)}: ${chain}`;
    })
    .join('; ');
}

function textOf({ format, tensors, parametrized, tied, elements, metadata, placeholders }: Facts): string {
  const numbers = (column: number): boolean => column === 3;
  const rows = tensors.map(({ name, dtype, shape, elements: count }) => [
    short(name),
    short(dtype),
    `[${shape.join(', ')}]`,
    count.toLocaleString('en'),
  ]);
  const blocks = [textTable([['tensor', 'type', 'shape', 'elements'], ...rows], numbers)];
  if (parametrized.length > 0) {
    const found = parametrized.map((weight) => [
      short(weight.name),
      short(byText(weight)),
      weight.keyFormat,
      String(weight.parts.length),
    ]);
    blocks.push(textTable([['parametrized', 'by', 'key format', 'parts'], ...found], numbers));
  }
  const lines = [
    ...tied.map((group) => `tied: ${group.map(short).join(' = ')}`),
    // The recipe is printed in the table, and the optimizer as lines.
    ...Object.entries(metadata)
      .filter(([key]) => key !== recipeKey && key !== optimizerKey)
      .map(([key, text]) => `metadata ${short(key)}: ${short(text)}`),
    ...optimizerLines(metadata),
    ...(placeholders.length === 0 ? [] : [placeholderNote(placeholders)]),
  ];
  if (lines.length > 0) blocks.push(lines.join('\n'));
  const shared = tied.length === 0 ? '' : ', tied ones once';
  blocks.push(
    `${format}: ${pluralize(tensors.length, 'tensor')}, ${pluralize(elements, 'element')}${shared}`,
  );
  return blocks.join('\n\n');
}

/** Returns a line for each optimizer whose state is in the file. */
const optimizerLines = (metadata: Readonly<Record<string, string>>): string[] => {
  const notes = optimizerIn(metadata);
  return (notes?.optimizers ?? []).map(
    ({ className, keys, config }) =>
      `optimizer ${short(className)}: the state of ${pluralize(keys.length, 'parameter')} after ${pluralize(notes!.iterations, 'step')}, learning rate ${short(String(config['learningRate']))}`,
  );
};

/** Escapes and shortens a text from a file for the terminal. */
const short = (text: string): string =>
  text.length > 100
    ? `${printable(text.slice(0, 100))}… (${pluralize(text.length, 'character')})`
    : printable(text);
