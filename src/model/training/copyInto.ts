import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { checkBoolean, checkOptions, checkProbability } from '../../core/checkOptions.ts';
import { refusal } from '../../core/errors.ts';
import { formatShape } from '../../core/shapes.ts';
import { assignAll } from '../../engine/assignments.ts';
import { isAlive } from '../../engine/variable.ts';
import { checkModel } from '../checkModel.ts';
import { candidatesOf, tensorPath } from '../select/candidate.ts';
import { modelVariables } from '../select/modelVariables.ts';

/** Options of {@link copyInto}. */
export interface CopyOptions {
  /** d, the part of its own value that a parameter of the target keeps. Default 0: the target becomes a copy. */
  readonly decay?: number;
  /** True if the target is plain and takes the computed values of the source. Default false. */
  readonly folded?: boolean;
}

/** One value of the source. */
interface Source {
  readonly isAveraged: boolean;
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Called in a tidy. */
  value(): Tensor;
}

/**
 * Copies the values of a model into another one of the same structure, or averages them into it: an exponential moving
 * average with `decay`.
 *
 * `t ← d·t + (1 − d)·s` for each parameter; every buffer, and every tensor that is not float32, is copied: `t ← s`
 *
 * @remarks
 * **State**: the names of all variables are compared, with those of parametrizations (originals, buffers, masks). The
 * buffers are never averaged: the average of two unit vectors is none, and spectral norm needs one. With `folded`, the
 * names are those of plain tensors, and the computed values are averaged. That is not the average of g and v.
 *
 * **Gradient**: none; the target's variables are assigned.
 *
 * **Ownership**: both models keep their variables. The values of a source are read without side effects.
 *
 * @param target - a module, a model of tf.layers or an object that holds variables
 * @param source - another one; its layers have the same names
 * @throws {@link ParametrizeError} `STATE_DICT` if the names differ, `SHAPE`, `DTYPE`, `DISPOSED`, `OPTION`; `TIED` if
 * two values would go into one variable; `ALREADY_PARAMETRIZED` for a parametrized target with `folded`. Nothing has
 * changed then.
 * @example
 * ```ts
 * const average = model.clone();
 * for (const batch of batches) {
 *   minimize(optimizer, () => lossOf(model, batch), model);
 *   copyInto(average, model, { decay: 0.999 });
 * }
 * ```
 * @see torch.optim.swa_utils.AveragedModel
 */
export function copyInto(target: object, source: object, options: CopyOptions = {}): void {
  const caller = 'copyInto';
  checkModel(caller, target);
  checkModel(caller, source);
  checkOptions(caller, options, ['decay', 'folded']);
  const { decay = 0, folded = false } = options;
  checkProbability(caller, 'decay', decay);
  checkBoolean(caller, 'folded', folded);
  const targets = variablesOf(caller, target, folded);
  const sources = folded ? computedValues(caller, source) : ownValues(caller, source);
  checkNames(caller, targets, sources);
  const from = new Map<Variable, Source>();
  for (const [key, variable] of targets) {
    const given = sources.get(key)!;
    checkFit(caller, key, variable, given);
    from.set(variable, given);
  }
  tf.tidy(() => {
    const writes = [...from].map(
      ([variable, given]) => [variable, averaged(variable, given, decay)] as const,
    );
    assignAll(writes);
  });
}

function averaged(variable: Variable, { value, isAveraged }: Source, decay: number): Tensor {
  const source = value();
  if (decay === 0 || !isAveraged) return source;
  return tf.add(tf.mul(variable, decay), tf.mul(source, 1 - decay));
}

/** The variables of the target by name. */
function variablesOf(caller: string, target: object, folded: boolean): Map<string, Variable> {
  const candidates = candidatesOf(caller, target);
  const parametrized = candidates.find(({ list }) => list !== null);
  if (folded && parametrized !== undefined) {
    throw refusal(
      'ALREADY_PARAMETRIZED',
      caller,
      `with folded, the target is plain, but '${tensorPath(parametrized)}' is parametrized`,
      'Call fold(target), or leave folded out.',
    );
  }
  const found = new Map<string, Variable>();
  const keyOf = new Map<Variable, string>();
  for (const { key, variable } of candidates.flatMap(modelVariables)) {
    const other = keyOf.get(variable);
    if (other !== undefined) {
      throw refusal(
        'TIED',
        caller,
        `'${other}' and '${key}' of the target are one variable, two values would go into it`,
        'Tie the modules instead of the variable.',
      );
    }
    if (!isAlive(variable)) throw disposed(caller, 'target', key);
    keyOf.set(variable, key);
    found.set(key, variable);
  }
  return found;
}

/** The variables of the source by name. */
function ownValues(caller: string, source: object): Map<string, Source> {
  const variables = candidatesOf(caller, source).flatMap(modelVariables);
  return new Map(
    variables.map(({ key, variable, isBuffer }) => {
      if (!isAlive(variable)) throw disposed(caller, 'source', key);
      const { shape, dtype } = variable;
      return [key, { shape, dtype, isAveraged: !isBuffer && dtype === 'float32', value: () => variable }];
    }),
  );
}

/** The values of the source by the names of plain tensors. */
function computedValues(caller: string, source: object): Map<string, Source> {
  return new Map(
    candidatesOf(caller, source).map((candidate): [string, Source] => {
      const { list, shape, dtype } = candidate;
      const variables = modelVariables(candidate);
      const dead = variables.find(({ variable }) => !isAlive(variable));
      if (dead !== undefined) throw disposed(caller, 'source', dead.key);
      const isAveraged = dtype === 'float32' && (list !== null || !variables[0]!.isBuffer);
      const value = (): Tensor => list?.inspect() ?? candidate.variable!;
      return [tensorPath(candidate), { shape, dtype, isAveraged, value }];
    }),
  );
}

function checkNames(
  caller: string,
  targets: ReadonlyMap<string, unknown>,
  sources: ReadonlyMap<string, unknown>,
): void {
  const missing = [...sources.keys()].filter((key) => !targets.has(key));
  const unexpected = [...targets.keys()].filter((key) => !sources.has(key));
  if (missing.length + unexpected.length === 0) return;
  const list = (keys: readonly string[]): string => {
    const shown = keys.slice(0, 6).map((key) => `'${key}'`);
    return `${shown.join(', ')}${keys.length > 6 ? ` and ${keys.length - 6} more` : ''}`;
  };
  const facts = [
    ...(missing.length > 0 ? [`the target has no ${list(missing)}`] : []),
    ...(unexpected.length > 0 ? [`the source has no ${list(unexpected)}`] : []),
  ];
  throw refusal(
    'STATE_DICT',
    caller,
    facts.join('; '),
    'Both need the same names and parametrizations: make the target with clone(source), or pass { folded: true } for a plain target.',
  );
}

function checkFit(caller: string, key: string, target: Variable, source: Source): void {
  if (!tf.util.arraysEqual(target.shape, [...source.shape])) {
    throw refusal(
      'SHAPE',
      caller,
      `'${key}' has shape ${formatShape(target.shape)} in the target, ${formatShape(source.shape)} in the source`,
      'Make both models with the same sizes.',
    );
  }
  if (target.dtype === source.dtype) return;
  throw refusal(
    'DTYPE',
    caller,
    `'${key}' has dtype ${target.dtype} in the target, ${source.dtype} in the source`,
    'Make both models with the same dtypes.',
  );
}

const disposed = (caller: string, which: string, key: string) =>
  refusal('DISPOSED', caller, `'${key}' of the ${which} has been disposed`, 'Make the model again.');
