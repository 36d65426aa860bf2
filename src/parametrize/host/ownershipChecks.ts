import type { Variable } from '@tensorflow/tfjs-core';
import { refusal } from '../../core/errors.ts';
import { typeName } from '../../core/text.ts';
import { fieldsOf, isModule } from '../../nn/module/fields.ts';
import { noteNewModules, otherHolder } from '../../nn/module/heldVariables.ts';
import { tieOf } from '../../nn/module/normalizedTensor.ts';
import { rawOf } from '../../nn/module/rawOf.ts';
import type { ChainStep } from '../chain/chainStep.ts';
import { ParametrizationList } from '../chain/parametrizationList.ts';
import { attachmentOf, listsWithModule, listsWithOriginal } from '../chain/registry.ts';

/** Refuses a chain that cannot be changed, and the originals of such a chain. */
export function checkOpen(caller: string, list: object): void {
  const tie = tieOf(list);
  if (tie !== undefined) throw tie.refusal(caller);
  const closed = attachmentOf(list)?.closed;
  if (closed === undefined) return;
  const { label } = list as ParametrizationList;
  throw refusal('ALREADY_PARAMETRIZED', caller, `${label} ${closed.fact}`, closed.remedy);
}

/** Refuses a module with its own tensors that is a part of another chain. */
export function checkShared(
  caller: string,
  { module }: ChainStep,
  list: ParametrizationList | undefined,
): void {
  if (module === null || [...listsWithModule(module)].every((other) => other === list)) return;
  if (!module.modules().some((part) => fieldsOf(part).variables.length > 0)) return;
  const [other] = listsWithModule(module);
  throw refusal(
    'SHARED',
    caller,
    `this ${typeName(module)} holds tensors and is registered on ${other!.label} already`,
    'Make one for each tensor.',
  );
}

/** Refuses a variable that is an original, or on a module, a variable that another field of a module holds. */
export function checkTied(caller: string, host: object, name: string, variable: Variable): void {
  const [list] = [...listsWithOriginal(variable)].filter((owner) => owner !== host);
  const label = `${typeName(host)}.${name}`;
  if (list !== undefined) {
    throw refusal(
      'TIED',
      caller,
      `the variable of ${label} is an original of ${list.label} already`,
      'Tie the modules instead of the variable, or clone it: parameter(tf.clone(variable)).',
    );
  }
  // A plain object may serve to parametrize a variable of a module.
  if (!isModule(host)) return;
  noteNewModules();
  // A list counts only for its originals, because the list of a failed registration may still be in memory.
  const counts = (holder: object): boolean => !(holder instanceof ParametrizationList);
  const other = otherHolder(variable, rawOf(host), name, counts);
  if (other === null) return;
  const [holder, field] = other;
  const where = holder === rawOf(host) ? `field '${field}'` : `field '${field}' of ${typeName(holder)}`;
  throw refusal(
    'TIED',
    caller,
    `the variable of ${label} is also in the ${where}. That field would hold the original, not the value`,
    `Tie the modules instead of the variable, or give this one its own: ${name} = parameter(tf.clone(variable)).`,
  );
}
