import { fold } from 'tfjs-parametrize';
import type { DeepNet } from './deepNet.ts';
import type { Digits } from './digits.ts';
import { labelsOf, predict } from './predict.ts';

/** What folding changed. */
export interface FoldResult {
  /** The tensors that were folded, by path. */
  readonly folded: string[];
  /** The largest absolute difference between two logits, and the largest logit to compare it with. */
  readonly difference: number;
  readonly largest: number;
  /** For how many digits the same label is predicted, of how many. */
  readonly same: number;
  readonly count: number;
}

/** Turns the normalized weights into plain ones, and compares what the network says before and after. */
export async function foldNetwork(
  network: DeepNet,
  digits: Digits,
  signal: AbortSignal,
): Promise<FoldResult> {
  const before = await predict(network, digits, signal);
  const folded = fold(network);
  const after = await predict(network, digits, signal);
  const labels = labelsOf(after);
  return {
    folded,
    difference: before.reduce((most, value, i) => Math.max(most, Math.abs(value - after[i]!)), 0),
    largest: before.reduce((most, value) => Math.max(most, Math.abs(value)), 0),
    same: labelsOf(before).filter((label, i) => label === labels[i]).length,
    count: labels.length,
  };
}
