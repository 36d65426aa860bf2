import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { StateDictError } from '../../nn/module/loadStateDict.ts';
import { quoted } from '../checkpointError.ts';
import type { Selection } from './selectState.ts';

/**
 * Compares the tensors of a file that belong to one variable.
 *
 * @param read - makes a tensor, which this function disposes
 * @throws {@link StateDictError} if two tensors differ
 */
export async function checkRivals(
  { rivals = [] }: Selection,
  read: (name: string) => Promise<Tensor>,
): Promise<void> {
  const different: string[] = [];
  for (const [one, other, convert] of rivals) {
    const tensors: Tensor[] = [];
    try {
      for (const name of [one, other]) tensors.push(await read(name));
      const converted = convert?.(tensors[1]!);
      if (converted !== undefined) tensors.push(converted);
      const isMisfit = convert !== undefined && converted === undefined;
      if (isMisfit || !(await areEqual(tensors[0]!, tensors.at(-1)!)))
        different.push(`${quoted(one)} and ${quoted(other)}`);
    } finally {
      tf.dispose(tensors);
    }
  }
  if (different.length === 0) return;
  throw new StateDictError(
    {
      caller: 'loadCheckpoint',
      fact: `${different.join(', ')} differ in the file, and are one variable of the model. Nothing was loaded`,
      remedy: 'Leave one out, { rename: { name: null } }, or untie the model.',
    },
    [],
    [],
  );
}

async function areEqual(a: Tensor, b: Tensor): Promise<boolean> {
  if (!tf.util.arraysEqual(a.shape, b.shape) || a.dtype !== b.dtype) return false;
  const [left, right] = [await a.data(), await b.data()];
  // NaN counts as equal to itself.
  return left.every((value, i) => value === right[i] || Object.is(value, right[i]));
}
