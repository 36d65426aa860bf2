import { printable } from '../checkpoint/checkpointError.ts';
import { type FileCandidate, fileCandidates } from '../checkpoint/convert/fileCandidates.ts';
import { type ParametrizedWeight, parametrizedWeights } from '../checkpoint/convert/parametrizedWeights.ts';
import type { CheckpointFile } from '../checkpoint/file/checkpointFile.ts';
import { openCheckpoint } from '../checkpoint/file/openCheckpoint.ts';
import { placeholderNote } from '../checkpoint/load/checkpointReport.ts';
import { optimizerKey } from '../checkpoint/metadata/optimizerNames.ts';
import { optimizerIn } from '../checkpoint/metadata/optimizerText.ts';
import { recipeIn, recipeKey } from '../checkpoint/metadata/recipeText.ts';
import { joinPath } from '../core/paths.ts';
import { sizeOf } from '../core/shapes.ts';
import { pluralize } from '../core/text.ts';
import { textTable } from '../core/textTable.ts';
import type { RecipeStep, TensorRecipe } from '../stateDict/recipe.ts';
import { below, withoutOptimizer } from './fileView.ts';
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

/** A tensor that reads another, as the recipe of the file says. */
interface RecipeTied {
  readonly name: string;
  readonly source: string;
  readonly isTransposed: boolean;
  /** True if the file has the tensor beside its source. */
  readonly isStored: boolean;
}

/** The counts of the tensors and elements of the model: a parametrized tensor counts with its own shape. */
interface Totals {
  readonly tensors: number;
  readonly elements: number;
  readonly parametrizedTensors: number;
  readonly parametrizedElements: number;
}

interface Facts {
  readonly format: string;
  readonly tensors: readonly { name: string; dtype: string; shape: readonly number[]; elements: number }[];
  readonly parametrized: readonly Parametrized[];
  readonly totals: Totals;
  readonly tied: readonly (readonly string[])[];
  readonly recipeTies: readonly RecipeTied[];
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
    totals: totalsOf(withoutOptimizer(file)),
    tied: file.ties,
    recipeTies: recipeTiesOf(file),
    elements: tensors.reduce((sum, { name, elements }) => (again.has(name) ? sum : sum + elements), 0),
    metadata: file.metadata,
    placeholders: file.placeholders,
  };
}

function totalsOf(file: CheckpointFile): Totals {
  const again = new Set(file.ties.flatMap((group) => group.slice(1)));
  const own = fileCandidates(file).filter(
    (one) => !one.isAlias && !again.has(joinPath(one.path, one.tensor)),
  );
  const elementsOf = (some: readonly FileCandidate[]): number =>
    some.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const computed = own.filter(({ weight }) => weight !== null);
  return {
    tensors: own.length,
    elements: elementsOf(own),
    parametrizedTensors: computed.length,
    parametrizedElements: elementsOf(computed),
  };
}

const recipeTiesOf = ({ names, metadata }: CheckpointFile): RecipeTied[] =>
  (recipeIn(metadata) ?? []).flatMap(({ path, tensor, tiedTo }) => {
    if (tiedTo === undefined) return [];
    const name = joinPath(path, tensor);
    return [
      {
        name,
        source: joinPath(tiedTo.path, tiedTo.tensor),
        isTransposed: tiedTo.transpose === true,
        isStored: names.includes(name),
      },
    ];
  });

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

function textOf(facts: Facts): string {
  const { format, tensors, parametrized, totals, tied, recipeTies, elements, metadata, placeholders } = facts;
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
    const table = textTable([['parametrized', 'by', 'key format', 'parts'], ...found], numbers);
    blocks.push(`${table}\n${totalText(totals)}`);
  }
  const lines = [
    ...tied.map((group) => `tied: ${group.map(short).join(' = ')}`),
    ...recipeTies.map(
      ({ name, source, isTransposed, isStored }) =>
        `tied by the recipe: ${short(name)} = ${short(source)}${isTransposed ? ', transposed' : ''}${isStored ? ', stored under both names' : ''}`,
    ),
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

const totalText = ({ tensors, elements, parametrizedTensors, parametrizedElements }: Totals): string => {
  const [part, all] = [parametrizedElements, elements].map((count) => count.toLocaleString('en'));
  const share = elements === 0 ? 0 : Math.round((100 * parametrizedElements) / elements);
  return `${parametrizedTensors} of ${pluralize(tensors, 'tensor')} parametrized, ${part} of ${all} elements (${share} %)`;
};

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
