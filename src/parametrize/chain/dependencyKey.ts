import type { DataId, Variable } from '@tensorflow/tfjs-core';
import { isAlive } from '../../engine/variable.ts';
import { variablesIn } from '../../nn/module/fields.ts';
import type { Module } from '../../nn/module/module.ts';
import { versionEpoch, versionOf } from '../version.ts';
import { type FieldSet, fieldSet, holdsSame } from './fieldSet.ts';
import type { ParametrizationList } from './parametrizationList.ts';
import { registrationsOf } from './registry.ts';

/**
 * The dependencies of an evaluation, as they were right after the evaluation.
 *
 * Note [Versions]: tensors are immutable and `Variable.assign` swaps the `dataId` object, so the identity of the
 * `dataId`s is the version of the values. Assignment, every optimizer step and `loadStateDict` change it; nothing has
 * to be hooked. The key is taken *after* the evaluation, because a stateful map (power iteration) writes its own
 * buffers in it.
 */
export interface DependencyKey {
  readonly variables: readonly Variable[];
  readonly dataIds: readonly DataId[];
  /**
   * The fields in which modules of the chain hold variables and modules, or may come to: a field may be given another
   * one.
   */
  readonly fields: FieldSet | null;
  readonly modules: readonly Module[];
  readonly trainings: readonly boolean[];
  readonly versions: readonly number[];
  /** The epoch at which the versions were last found unchanged. */
  epoch: number;
}

/** Takes the key of a chain: of the originals, the modules of the chain and of nested lists, and what they declare. */
export function dependencyKey(list: ParametrizationList): DependencyKey {
  const modules = list.modules();
  const variables = [...modules.flatMap(variablesIn), ...declaredDependencies(list)];
  return {
    variables,
    dataIds: variables.map((variable) => variable.dataId),
    fields: fieldSet(modules, list),
    modules,
    trainings: modules.map((module) => module.training),
    versions: modules.map(versionOf),
    epoch: versionEpoch(),
  };
}

/** True while nothing that the key names has changed. Runs on every read, so it allocates nothing. */
export function isFresh(key: DependencyKey): boolean {
  const { variables, dataIds, modules, trainings } = key;
  for (let i = 0; i < variables.length; i++) {
    if (variables[i]!.dataId !== dataIds[i] || variables[i]!.isDisposed) return false;
  }
  for (let i = 0; i < modules.length; i++) {
    if (modules[i]!.training !== trainings[i]) return false;
  }
  if (key.epoch !== versionEpoch() && !hasSameVersions(key)) return false;
  // After the versions: a field may have become a computed property, which is not to be evaluated here.
  if (key.fields !== null && !holdsSame(key.fields)) return false;
  // `tf.disposeVariables()` leaves `isDisposed` false; it takes all variables, so that asking one is enough.
  return variables.length === 0 || isAlive(variables[0]!);
}

function hasSameVersions(key: DependencyKey): boolean {
  if (!key.modules.every((module, i) => versionOf(module) === key.versions[i])) return false;
  key.epoch = versionEpoch();
  return true;
}

/** A list and those that it reads: of originals, and of tensors of its parametrizations, at any depth. */
export function listsIn(list: ParametrizationList): ParametrizationList[] {
  const registrations = list.modules().flatMap((module) => [...registrationsOf(module).values()]);
  return [list, ...registrations.map((registration) => registration.list)];
}

/** The variables that the steps of a list, and of those that it reads, declare beside their originals. */
export const declaredDependencies = (list: ParametrizationList): Variable[] =>
  listsIn(list).flatMap(({ steps }) =>
    steps.flatMap(({ dependencies, inherited }) => [...dependencies, ...inherited.filter(isAlive)]),
  );
