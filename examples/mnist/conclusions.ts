import type { Run } from './runVariant.ts';

/** What the numbers say, in sentences. */
export function conclusions(runs: readonly Run[]): string[] {
  const sentences = [
    'A read asks a layer for its normalized weight, an eval computes one. Another run with the same options gives the same table, but for the times.',
  ];
  const [first, second] = runs.filter(({ fold }) => fold);
  if (first && second) {
    const difference = first.losses.reduce(
      (most, loss, step) => Math.max(most, Math.abs(loss - second.losses[step]!)),
      0,
    );
    sentences.push(
      `The losses of the two weight-normalized runs differ by at most ${difference}: caching changes no value and no gradient.`,
    );
  }
  const fold = runs.at(-1)?.fold;
  if (fold) {
    sentences.push(
      `Folded ${fold.folded.join(', ')} into plain weights: logits up to ${fold.largest.toFixed(1)} differ by at most ${exact(fold.difference)}, and the label is the same for ${fold.same} of ${fold.count} test digits.`,
    );
  }
  return sentences;
}

const exact = (value: number): string => (value === 0 ? '0' : value.toExponential(1));
