import { refusal } from '../../core/errors.ts';
import { typeName } from '../../core/text.ts';
import type { Module } from './module.ts';

/**
 * Sets the training mode of modules, all or none (law L5).
 *
 * @param caller - the public function, for messages
 * @throws {@link ParametrizeError} `IMMUTABLE_HOST` if a frozen module has the other mode
 */
export function setTraining(caller: string, modules: readonly Module[], training: boolean): void {
  const changing = modules.filter((module) => module.training !== training);
  const frozen = changing.find((module) => Object.isFrozen(module));
  if (frozen !== undefined) {
    throw refusal(
      'IMMUTABLE_HOST',
      caller,
      `this ${typeName(frozen)} is frozen in ${frozen.training ? 'training' : 'eval'} mode, it cannot change to ${training ? 'training' : 'eval'} mode`,
      'Set the mode before Object.freeze.',
    );
  }
  for (const module of changing) module.training = training;
}
