import type { NamedTensorMap, Optimizer, Tensor, Variable } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { formatShape } from '../../core/shapes.ts';
import { pluralize } from '../../core/text.ts';
import { learningRateOf, planLearningRate } from '../../engine/optimizerFields.ts';
import { guardSteps } from '../../engine/optimizerGuard.ts';
import { setOwners } from '../../engine/optimizerOwners.ts';
import { isStateless } from '../../engine/optimizerSlots.ts';
import {
  countersOf,
  planSlots,
  setIterations,
  slotNames,
  statefulParts,
} from '../../engine/optimizerSnapshot.ts';
import { disposingOnFailure } from '../../engine/variable.ts';
import { currentLeaves } from '../../model/optimizerLeaves.ts';
import { parametersOf } from '../../model/parametersOf.ts';
import { variablesByKey } from '../../model/variablesByKey.ts';
import { StateDictError } from '../../nn/module/loadStateDict.ts';
import { allOrNothing } from '../../stateDict/allOrNothing.ts';
import { CheckpointError, corrupt, quoted } from '../checkpointError.ts';
import { optimizerName } from '../metadata/optimizerNames.ts';
import { type OptimizerNote, type OptimizerNotes, optimizerIn } from '../metadata/optimizerText.ts';
import { type OptimizerReport, optimizerReport } from './optimizerReport.ts';

/** The optimizer of a file, with its tensors by name. */
export interface StoredOptimizer {
  readonly notes: OptimizerNotes | null;
  readonly tensors: NamedTensorMap;
}

/** The model and the optimizer that a file is loaded into. */
export interface Restoring {
  readonly caller: string;
  readonly model: object;
  readonly optimizer: Optimizer;
  /** True if state without a variable is an error. */
  readonly strict: boolean;
  /** Returns the path in the model of a path in the file; null for a path that is left out. */
  pathOf(key: string): string | null;
}

/**
 * Reads the description of the optimizer in a file, and compares it with the optimizer of the program.
 *
 * @param has - true for a tensor of the file
 * @returns the description and the names of its tensors
 * @throws {@link CheckpointError} `OPTION` for other classes, `CORRUPT`, `LIMIT`, `UNSUPPORTED`
 */
export function storedOptimizer(
  optimizer: Optimizer,
  metadata: Readonly<Record<string, string>>,
  has: (name: string) => boolean,
): { readonly notes: OptimizerNotes | null; readonly names: readonly string[] } {
  const notes = optimizerIn(metadata);
  if (notes === null) return { notes, names: [] };
  const leaves = statefulParts(optimizer);
  const [found, wanted] = [notes.optimizers, leaves].map((list) => list.length);
  if (found !== wanted) {
    throw new CheckpointError(
      'OPTION',
      `the file has the state of ${pluralize(found!, 'optimizer')}, and optimizer has ${wanted}`,
      'Pass an optimizer with the same groups.',
    );
  }
  const names = notes.optimizers.flatMap((note, i) => {
    checkNote(leaves[i]!, note);
    const { counters, slots, keys } = note;
    return [
      ...counters.map((name) => optimizerName(i, name)),
      ...slots.flatMap((name) => keys.map((_, number) => optimizerName(i, name, number))),
    ];
  });
  const lost = names.find((name) => !has(name));
  if (lost !== undefined) throw corrupt(`the optimizer needs the tensor ${quoted(lost)}, which is not there`);
  return { notes, names };
}

function checkNote(leaf: Optimizer, { className, config, counters, slots, keys }: OptimizerNote): void {
  const own = leaf.getClassName();
  const kind = (name: string, isCentered: boolean): string =>
    name === 'RMSProp' && isCentered ? 'centered RMSProp' : name;
  const [stored, given] = [
    kind(className, config['centered'] === true),
    kind(own, leaf.getConfig()['centered'] === true),
  ];
  if (stored !== given) {
    throw new CheckpointError(
      'OPTION',
      `the file has the state of the optimizer ${quoted(stored)}, and optimizer is ${given}`,
      'Pass an optimizer of the same class.',
    );
  }
  const isSame = (a: readonly string[], b: readonly string[]): boolean => a.join() === b.join();
  const counted = countersOf(leaf).map(([name]) => name);
  if (isSame(counters, counted) && (keys.length === 0 || isSame(slots, slotNames(leaf)!))) return;
  throw corrupt(`the state of the optimizer ${quoted(className)} has other parts than that class`);
}

/**
 * Loads a model, then gives an optimizer the state of a file, all or nothing.
 *
 * @param load - loads the model
 * @throws {@link StateDictError} if `strict` is true, and the file has no optimizer, or state of variables that the
 * model lacks; {@link CheckpointError} `CORRUPT`; and the errors of `load`. Nothing has changed then
 */
export const restoringOptimizer = <T>(
  restoring: Restoring,
  stored: StoredOptimizer,
  load: () => T,
): { readonly loaded: T; readonly report: OptimizerReport } =>
  allOrNothing(() => {
    const loaded = load();
    const { report, restore } = planOptimizer(restoring, stored);
    restore();
    return { loaded, report };
  });

interface OptimizerPlan {
  readonly report: OptimizerReport;
  /** Gives the optimizer its state. A transaction takes the counters back if it fails. */
  restore(): void;
}

function planOptimizer(restoring: Restoring, { notes, tensors }: StoredOptimizer): OptimizerPlan {
  const { caller, model, optimizer, strict, pathOf } = restoring;
  const byKey = variablesByKey(caller, model);
  const keyOf = new Map([...byKey].reverse().map(([key, variable]) => [variable, key]));
  const named = (notes?.optimizers ?? []).map(({ keys }) =>
    keys.flatMap((key, number) => {
      const path = pathOf(key);
      return path === null ? [] : [{ path, number, variable: byKey.get(path) }];
    }),
  );
  const stateful = named.flat().flatMap(({ variable }) => variable ?? []);
  const variables = [...new Set([...parametersOf(caller, model), ...stateful])];
  const { leaves, commit } = currentLeaves(caller, optimizer, variables);
  const unexpected: string[] = [];
  const plans = leaves.map(([leaf, own], i) => {
    const trained = new Set(own!);
    const found = (named[i] ?? []).flatMap(({ path, number, variable }) => {
      if (variable !== undefined && trained.has(variable)) return [{ variable, number }];
      unexpected.push(path);
      return [];
    });
    return planLeaf(leaf, i, { owned: [...trained], found, note: notes?.optimizers[i], tensors });
  });
  const pathsOf = (list: readonly Variable[]): string[] =>
    list.map((variable) => keyOf.get(variable) ?? variable.name);
  const report = optimizerReport({
    restored: plans.flatMap(({ restored }) => pathsOf(restored)),
    missing: plans.flatMap(({ missing }) => pathsOf(missing)),
    unexpected,
    iterations: notes?.iterations ?? null,
    differing: [...new Set(plans.flatMap(({ differing }) => differing))],
  });
  if (strict) checkComplete(caller, notes, report);
  return {
    report,
    restore: () => {
      if (notes === null) return;
      tf.tidy(() => {
        const commits = disposingOnFailure(() => plans.map(({ prepare }) => prepare()));
        for (const run of [commit, ...commits]) run();
      });
      setIterations(optimizer, notes.iterations);
    },
  };
}

/** The state of one optimizer in a file, and its variables in the model. */
interface LeafState {
  /** The variables that the optimizer trains. */
  readonly owned: readonly Variable[];
  /** The variables with state in the file, with their numbers there. */
  readonly found: readonly { readonly variable: Variable; readonly number: number }[];
  readonly note: OptimizerNote | undefined;
  readonly tensors: NamedTensorMap;
}

function planLeaf(leaf: Optimizer, i: number, { owned, found, note, tensors }: LeafState) {
  const restored = found.map(({ variable }) => variable);
  const known = new Set(restored);
  const others = owned.filter((variable) => !known.has(variable));
  const { slots = [], counters = [], config = {} } = note ?? {};
  const values = new Map(
    (found.length === 0 ? [] : slots).map((name) => [
      name,
      found.map(({ variable, number }) => tensorFor(tensors, optimizerName(i, name, number), variable.shape)),
    ]),
  );
  const counts = counters.map((name) => tensorFor(tensors, optimizerName(i, name), []));
  const { learningRate: rate } = config;
  const given: Record<string, unknown> = note === undefined ? {} : leaf.getConfig();
  const differing = Object.keys(given).filter(
    (option) => option !== 'learningRate' && JSON.stringify(given[option]) !== JSON.stringify(config[option]),
  );
  /** Does all that can fail, and returns the rest. */
  const prepare = (): (() => void) => {
    const all = [...restored, ...others];
    const commitSlots = planSlots(leaf, all, values);
    const isOther = typeof rate === 'number' && rate !== learningRateOf(leaf);
    const commitRate = isOther ? planLearningRate(leaf, rate) : null;
    for (const [at, [, counter]] of countersOf(leaf).entries()) counter.assign(counts[at]!);
    return () => {
      commitSlots();
      setOwners(leaf, all);
      guardSteps(all);
      commitRate?.();
    };
  };
  return { restored, missing: isStateless(leaf) ? [] : others, differing, prepare };
}

/** Returns a tensor of the state of an optimizer. */
function tensorFor(tensors: NamedTensorMap, name: string, shape: readonly number[]): Tensor {
  const tensor = tensors[name]!;
  if (tensor.dtype === 'float32' && tf.util.arraysEqual(tensor.shape, [...shape])) return tensor;
  throw corrupt(
    `${quoted(name)} of the optimizer is ${tensor.dtype} ${formatShape(tensor.shape)}, its variable has float32 ${formatShape(shape)}`,
  );
}

/** Refuses state without a variable, and a file without the state of an optimizer. */
function checkComplete(
  caller: string,
  notes: OptimizerNotes | null,
  { missing, unexpected }: OptimizerReport,
): void {
  if (notes !== null && unexpected.length === 0) return;
  const fact =
    notes === null
      ? 'the file has no state of an optimizer'
      : `the optimizer of the file has state of variables that the optimizer of the model does not train: ${unexpected.slice(0, 8).map(quoted).join(', ')}${unexpected.length > 8 ? ` and ${unexpected.length - 8} more` : ''}`;
  const remedy =
    notes === null
      ? 'Save it with saveCheckpoint(model, target, { optimizer }), or load without it.'
      : 'Parametrize the model as it was saved, pass a catalog, or pass strict: false to leave these out.';
  throw new StateDictError({ caller, fact: `${fact}. Nothing was loaded`, remedy }, missing, unexpected);
}
