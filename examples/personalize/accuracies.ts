import type { Digits } from '../mnist/digits.ts';
import { labelsOf } from '../mnist/predict.ts';
import { newDigits, oldDigits } from './addAdapter.ts';

/** The fractions of digits that are recognized: of 0 to 4, of 5 to 9, and of all. */
export interface Accuracies {
  readonly old: number;
  readonly new: number;
  readonly all: number;
}

/** Returns the accuracies that logits have on digits. */
export function accuraciesOf(logits: Float32Array, { labels }: Digits): Accuracies {
  const found = labelsOf(logits);
  const on = (classes: readonly number[]): number => {
    const places = [...labels.keys()].filter((i) => classes.includes(labels[i]!));
    return places.filter((i) => found[i] === labels[i]).length / places.length;
  };
  return { old: on(oldDigits), new: on(newDigits), all: on([...oldDigits, ...newDigits]) };
}
