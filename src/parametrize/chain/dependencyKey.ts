import type { DataId, Variable } from '@tensorflow/tfjs-core';
import { isAlive } from '../../engine/variable.ts';
import { variablesIn } from '../../nn/module/fields.ts';
import type { Module } from '../../nn/module/module.ts';
import { versionEpoch, versionOf } from '../version.ts';
import { type FieldSet, fieldSet, holdsSame } from './fieldSet.ts';
import type { ParametrizationList } from './parametrizationList.ts';
import { registrationsOf } from './registry.ts';

/**
 * The dependencies of an evaluation and their versions right after it.
 *
 * Note [Versions]: tensors are immutable and `Variable.assign` swaps the `dataId` object, so the identity of the
 * `dataId`s is the version of the values. Assignment, every optimizer step and `loadStateDict` change it, so no hook is
 * needed. The key is taken *after* the evaluation, because a stateful map (power iteration) writes its own buffers in
 * it.
 */
export interface DependencyKey {
  readonly variables: readonly Variable[];
  readonly dataIds: readonly DataId[];
  /** The fields in which modules of the chain hold variables and modules, or may hold them later. */
  readonly fields: FieldSet | null;
  readonly modules: readonly Module[];
  readonly trainings: readonly boolean[];
  readonly versions: readonly number[];
  /** The epoch at which the versions were last found unchanged. */
  epoch: number;
}

/**
 * Takes the key of a chain: its originals, the modules of the chain and of nested lists, and their declared variables.
 *
 * @param modules - the modules of the list, where the caller has listed them: a walk is a large part of a read
 */
export function dependencyKey(list: ParametrizationList, modules = list.modules()): DependencyKey {
  const variables = [...modules.flatMap(variablesIn), ...declaredDependencies(list, modules)];
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

/** True while no dependency of the key has changed. It runs on every read, so it allocates nothing. */
export function isFresh(key: DependencyKey): boolean {
  const { variables, dataIds, modules, trainings } = key;
  for (let i = 0; i < variables.length; i++) {
    if (variables[i]!.dataId !== dataIds[i] || variables[i]!.isDisposed) return false;
  }
  for (let i = 0; i < modules.length; i++) {
    if (modules[i]!.training !== trainings[i]) return false;
  }
  if (key.epoch !== versionEpoch() && !hasSameVersions(key)) return false;
  // Fields are compared after the versions, because a field may have become a computed property, which must not be
  // evaluated here.
  if (key.fields !== null && !holdsSame(key.fields)) return false;
  // `tf.disposeVariables()` leaves `isDisposed` false. It disposes all variables, so testing one is enough.
  return variables.length === 0 || isAlive(variables[0]!);
}

function hasSameVersions(key: DependencyKey): boolean {
  if (!key.modules.every((module, i) => versionOf(module) === key.versions[i])) return false;
  key.epoch = versionEpoch();
  return true;
}

/** Returns a list and the lists that it reads, of originals and of tensors of its parametrizations, at any depth. */
export function listsIn(list: ParametrizationList, modules = list.modules()): ParametrizationList[] {
  const registrations = modules.flatMap((module) => [...registrationsOf(module).values()]);
  return [list, ...registrations.map((registration) => registration.list)];
}

/** Returns the variables other than originals that the steps of a list, and of the lists that it reads, declare. */
export const declaredDependencies = (list: ParametrizationList, modules = list.modules()): Variable[] =>
  listsIn(list, modules).flatMap(({ steps }) =>
    steps.flatMap(({ dependencies, inherited }) => [...dependencies, ...inherited.filter(isAlive)]),
  );
