import type { Variable } from '@tensorflow/tfjs-core';
import { ParametrizeError } from '../core/errors.ts';
import { typeName } from '../core/text.ts';
import { fieldsOf } from '../nn/module/fields.ts';
import type { ChainStep } from './chainStep.ts';
import type { ParametrizationList } from './parametrizationList.ts';
import { attachmentOf, listsWithModule, listsWithOriginal } from './registry.ts';

/** Refuses a chain that nothing can be appended to, and the originals of one. */
export function checkOpen(caller: string, list: object): void {
  const closed = attachmentOf(list)?.closed;
  if (closed === undefined) return;
  const { label } = (list as ParametrizationList).chain;
  throw new ParametrizeError('ALREADY_PARAMETRIZED', `${caller}: ${label} ${closed}`);
}

/** Refuses a module with tensors of its own that is part of another chain. */
export function checkShared(
  caller: string,
  { module }: ChainStep,
  list: ParametrizationList | undefined,
): void {
  if (module === null || [...listsWithModule(module)].every((other) => other === list)) return;
  if (!module.modules().some((part) => fieldsOf(part).variables.length > 0)) return;
  const [other] = listsWithModule(module);
  throw new ParametrizeError(
    'SHARED',
    `${caller}: this ${typeName(module)} holds tensors and is registered on ${other!.chain.label} already. Make one for each tensor.`,
  );
}

/** Refuses a variable that is an original already. */
export function checkTied(caller: string, host: object, name: string, variable: Variable): void {
  const [list] = [...listsWithOriginal(variable)].filter((owner) => owner !== host);
  if (list === undefined) return;
  throw new ParametrizeError(
    'TIED',
    `${caller}: the variable of ${typeName(host)}.${name} is an original of ${list.chain.label} already. Tie the modules instead of the variable, or clone it: parameter(tf.clone(variable)).`,
  );
}
