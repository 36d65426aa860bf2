import type { ResultTable } from '../mnist/resultTables.ts';
import { claims, count, targetLoss } from './claims.ts';
import { type Grid, lastLoss, steps } from './grid.ts';
import { methods } from './methods.ts';
import { percent, spread } from './statistics.ts';

/** The digits and the batches of the experiment. */
export interface Size {
  readonly training: number;
  readonly test: number;
  readonly batchSize: number;
}

/** The numbers of each method with its best rate. */
export const resultTable = (grid: Grid): ResultTable => ({
  title: 'Each method with its best learning rate',
  columns: ['method', 'rate', `steps to loss ${targetLoss}`, 'steps to loss 0.5', 'last loss', 'test error'],
  rows: methods.map((method) => {
    const runs = grid.best(method);
    return [
      method.name,
      String(grid.bestRate(method)),
      count(runs.map((run) => steps(run, targetLoss))),
      count(runs.map((run) => steps(run, 0.5))),
      spread(runs.map(lastLoss), 2),
      percent(runs.map(({ testError }) => testError)),
    ];
  }),
});

/** The claims of the paper, and whether they held. */
const claimTable = (grid: Grid): ResultTable => ({
  title: 'The claims of the paper',
  columns: ['claim', 'section', 'measured here', 'held'],
  rows: claims(grid).map(({ claim, section, measured, verdict }) => [claim, section, measured, verdict]),
});

/** The document with tables and plots. */
export function paperDocument(grid: Grid, { training, test, batchSize }: Size): string {
  const stepCount = grid.runs[0]!.losses.length;
  return `# The weight-norm paper, measured

<!-- Written by \`npm run example:paper\`. Do not edit. -->

[Salimans and Kingma 2016](https://arxiv.org/abs/1602.07868) introduce weight normalization, its initialization from
data, and mean-only batch normalization. This page repeats their comparison at a size for a laptop, and says for each
claim whether it held here. The experiment is small. A claim that fails here can be true at the size of the paper.

- **Network**: five convolutions of 8 and 16 channels with leaky ReLUs, an average over all positions, a linear layer.
- **Digits**: ${training.toLocaleString('en')} of MNIST to train on and ${test.toLocaleString('en')} to test with, at half their size.
- **Training**: ${stepCount} steps of ${batchSize} digits with Adam, for ${grid.seeds.length} seeds and the learning rates ${grid.rates.join(', ')}.
- **Initialization**: that of torch. All methods begin from the same weights and see the same batches.

Numbers are the mean over the seeds ± the standard deviation. A loss is the mean of ten steps. Unless a rate is named,
each method has the rate with the least loss at the end.

\`\`\`sh
npm run example:paper
\`\`\`

## The claims

A seed counts if the claim holds in its runs. *Yes* means every seed, *no* means half of them or fewer.

${markdown(claimTable(grid))}

## The numbers

${markdown(resultTable(grid))}

![The loss by steps](paper/loss.svg)

![The loss by learning rates](paper/learning-rate.svg)

![The growth of the norms by learning rates](paper/growth.svg)

## Notes

- The noise is the standard deviation of the logits of eight digits over 20 batches that they are put into, relative to
  the standard deviation of all logits. The network is trained, and in training mode.
- The time is the processor time of a step on wasm, the median over all runs of a method. It differs between machines.
  The kernels are not those of the paper.
- The paper shows the growth of ‖v‖ for gradient descent. The step of Adam has another direction, and about the same
  length whatever the gradient is.
- The paper calls the noise of mean-only batch normalization gentler because of its distribution. Here, its size is
  measured.
`;
}

const markdown = ({ columns, rows }: ResultTable): string =>
  [columns, columns.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
