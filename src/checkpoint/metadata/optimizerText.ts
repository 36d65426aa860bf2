import { isRecord } from '../../core/guards.ts';
import { CheckpointError, corrupt } from '../checkpointError.ts';
import { optimizerKey } from './optimizerNames.ts';

const version = 1;

/** The maximum number of optimizers of a file. */
const maxOptimizers = 1_000;

/** The maximum number of variables of an optimizer. */
const maxKeys = 100_000;

/** An optimizer in a file, besides its tensors. */
export interface OptimizerNote {
  /** The name of its class in tfjs. */
  readonly className: string;
  /** Its options, such as `learningRate` and `beta1`. */
  readonly config: Readonly<Record<string, unknown>>;
  /** The names of the variables in which it counts its steps. */
  readonly counters: readonly string[];
  /** The names of the slots of each variable. */
  readonly slots: readonly string[];
  /** The paths of the variables that have state, by their number in the names of tensors. */
  readonly keys: readonly string[];
}

/** The optimizers of a file: one, or those of groups. */
export interface OptimizerNotes {
  /** The number of steps so far. */
  readonly iterations: number;
  readonly optimizers: readonly OptimizerNote[];
}

/** Returns the description of an optimizer as a text for the metadata. */
export const optimizerText = (notes: OptimizerNotes): string => JSON.stringify({ version, ...notes });

/**
 * Returns the description of an optimizer in the metadata of a file, or null.
 *
 * @throws {@link CheckpointError} `UNSUPPORTED` for a later version, `CORRUPT`, `LIMIT`
 */
export function optimizerIn(metadata: Readonly<Record<string, string>>): OptimizerNotes | null {
  const text = metadata[optimizerKey];
  if (text === undefined) return null;
  let notes: unknown;
  try {
    notes = JSON.parse(text);
  } catch {
    throw corrupt('the description of the optimizer is not JSON');
  }
  if (!isRecord(notes)) throw corrupt('the description of the optimizer is not an object');
  if (notes['version'] !== version) {
    const found = JSON.stringify(notes['version'])?.slice(0, 20);
    const fact = `the optimizer has the version ${found}, this package reads ${version}`;
    throw new CheckpointError('UNSUPPORTED', fact, 'Update the package.');
  }
  const { iterations, optimizers } = notes;
  if (!isCount(iterations) || !Array.isArray(optimizers) || !Array.from(optimizers).every(isNote)) {
    throw corrupt('the description of the optimizer lacks its parts');
  }
  const keys = optimizers.map((one: OptimizerNote) => one.keys);
  if (optimizers.length > maxOptimizers || keys.some(({ length }) => length > maxKeys)) {
    throw new CheckpointError(
      'LIMIT',
      `the file has more than ${maxOptimizers} optimizers, or one with more than ${maxKeys} variables`,
      'Load it without its optimizer.',
    );
  }
  for (const own of keys) {
    if (new Set(own).size < own.length) throw corrupt('a variable has state in an optimizer twice');
  }
  return { iterations, optimizers };
}

const isCount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;

const isNames = (value: unknown): value is string[] =>
  Array.isArray(value) && Array.from(value).every((name) => typeof name === 'string');

const isNote = (value: unknown): value is OptimizerNote =>
  isRecord(value) &&
  typeof value['className'] === 'string' &&
  isRecord(value['config']) &&
  isNames(value['counters']) &&
  isNames(value['slots']) &&
  isNames(value['keys']);
