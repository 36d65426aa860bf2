import type { Results } from './resultTables.ts';
import type { Run } from './runVariant.ts';
import { variants } from './variants.ts';

/** Accuracies that are closer than this count as equal. */
const close = 0.05;

/** What the numbers say, in sentences. A sentence that does not hold for every seed is left out. */
export const conclusions = (results: Results): string[] => [
  ...aboutTraining(results.runs),
  ...aboutFolding(results.runs),
  ...aboutConstraint(results),
  ...aboutCritic(results),
];

function aboutTraining(runs: readonly Run[]): string[] {
  const [plain, normalized, initialized] = variants.map(({ name }) =>
    runs.filter((run) => run.name === name).map(({ accuracies }) => accuracies.at(-1)!),
  ) as [number[], number[], number[]];
  const sentences: string[] = [];
  const best = Math.max(...plain, ...normalized);
  const worst = Math.min(...initialized);
  if (worst > best) {
    sentences.push(
      `With weight norm, initialized from one batch, every seed reaches at least ${percent(worst)}; no other run comes above ${percent(best)}.`,
    );
  }
  if (plain.every((accuracy, seed) => Math.abs(accuracy - normalized[seed]!) < close)) {
    sentences.push(
      `Weight norm without the initialization changes the accuracy of no seed by more than ${points(plain, normalized)} points.`,
    );
  }
  return sentences;
}

function aboutFolding(runs: readonly Run[]): string[] {
  const folds = runs.flatMap(({ fold }) => fold ?? []);
  if (folds.some(({ same, count }) => same !== count)) return [];
  const difference = Math.max(...folds.map((fold) => fold.difference));
  const largest = Math.max(...folds.map((fold) => fold.largest));
  const [{ folded, count }] = folds as [Fold];
  return [
    `Folded ${folded.length} weights into plain ones: logits up to ${largest.toFixed(1)} differ by at most ${exact(difference)}, and the label of each of the ${count} test digits is the same, in every run.`,
  ];
}

type Fold = NonNullable<Run['fold']>;

function aboutConstraint({ norms }: Results): string[] {
  const [broken, kept] = norms.map(({ least, largest }) => Math.max(1 - least, largest - 1)) as [
    number,
    number,
  ];
  if (broken < 0.01 || kept > 1e-5) return [];
  return [
    `The constraint of tf.layers is off by up to ${broken.toFixed(2)} after fit; the same as a parametrization by at most ${exact(kept)}.`,
  ];
}

function aboutCritic({ critics }: Results): string[] {
  const [read, inCache] = critics.map(({ iterationsPerStep }) => iterationsPerStep) as [number, number];
  if (inCache >= read) return [];
  return [
    `The discriminator reads every weight twice in a step, for real and for overlaid digits: ${read} power iterations, in cached ${inCache}.`,
  ];
}

const percent = (fraction: number): string => `${(100 * fraction).toFixed(1)} %`;

const points = (a: readonly number[], b: readonly number[]): string =>
  (100 * Math.max(...a.map((value, i) => Math.abs(value - b[i]!)))).toFixed(1);

const exact = (value: number): string => (value === 0 ? '0' : value.toExponential(1));
