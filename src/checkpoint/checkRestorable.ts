import type { Optimizer } from '@tensorflow/tfjs-core';
import { refusal } from '../core/errors.ts';
import { typeName } from '../core/text.ts';
import { isOptimizer } from '../engine/optimizerFields.ts';
import { slotNames, statefulParts } from '../engine/optimizerSnapshot.ts';

/**
 * Refuses an optimizer whose state has an unknown form.
 *
 * @throws {@link ParametrizeError} `OPTION`
 */
export function checkRestorable(caller: string, optimizer: Optimizer): void {
  const parts: unknown[] = isOptimizer(optimizer) ? statefulParts(optimizer) : [optimizer];
  const other = parts.find((part) => !isOptimizer(part) || slotNames(part) === undefined);
  if (other === undefined) return;
  throw refusal(
    'OPTION',
    caller,
    `${typeName(other)} is none of the optimizers of tfjs, so its state cannot be saved or loaded by paths`,
    'Pass one of tf.train, or one that clipGradients or groupOptimizer made of them.',
  );
}
