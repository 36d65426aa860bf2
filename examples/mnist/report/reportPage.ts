import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { conclusions } from '../conclusions.ts';
import type { Options } from '../readOptions.ts';
import { columns, rowsOf } from '../resultTable.ts';
import type { Run } from '../runVariant.ts';
import { smoothed } from './smoothed.ts';

/** A step says little by itself: the curve is the mean of this many. */
const smoothing = 25;

/** What `drawCharts.js` gets: for each chart the x values and one series for each run. */
interface Chart {
  readonly title: string;
  readonly x: { readonly label: string; readonly values: number[] };
  readonly y: { readonly label: string; readonly log: boolean; readonly digits: number };
  readonly series: readonly { readonly name: string; readonly values: number[] }[];
}

/** One page with the table and the charts. It holds all that it needs, and its policy forbids it to load anything. */
export function reportPage(runs: readonly Run[], options: Options): string {
  const settings = [
    `${options.epochs} epochs`,
    `${options.batchSize} digits per step`,
    `Adam with a learning rate that falls from ${options.learningRate} to 0`,
    `seed ${options.seed}`,
    `${options.backend} backend`,
    ...(options.limit === undefined ? [] : [`${options.limit} digits`]),
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Weight normalization on MNIST digits</title>
<style>
${packageFile('uplot/dist/uPlot.min.css')}
${ownFile('report.css')}
</style>
</head>
<body>
<main>
<h1>Weight normalization on MNIST digits</h1>
<p>One network, trained three times from the same weights on the same batches: as it is, with every weight normalized, and
normalized inside one <code>cached</code>. ${html(settings.join(', '))}.</p>
<div class="charts" id="charts"></div>
<div class="table">
<table>
<thead><tr>${columns.map((name) => `<th scope="col">${html(name)}</th>`).join('')}</tr></thead>
<tbody>
${rowsOf(runs).map(row).join('\n')}
</tbody>
</table>
</div>
${conclusions(runs)
  .map((sentence) => `<p>${html(sentence)}</p>`)
  .join('\n')}
</main>
<script type="application/json" id="data">${inScript(JSON.stringify(charts(runs)))}</script>
<script>
${packageFile('uplot/dist/uPlot.iife.min.js')}
</script>
<script>
${ownFile('drawCharts.js')}
</script>
</body>
</html>
`;
}

function charts(runs: readonly Run[]): Chart[] {
  const steps = runs[0]!.losses.map((_, i) => i + 1);
  const epochs = runs[0]!.accuracies.map((_, i) => i + 1);
  const window = Math.min(smoothing, Math.ceil(steps.length / 4));
  return [
    {
      title: `Training loss (mean of the last ${window} steps)`,
      x: { label: 'step', values: steps },
      y: { label: 'cross-entropy (nats)', log: true, digits: 4 },
      series: runs.map(({ name, losses }) => ({ name, values: smoothed(losses, window) })),
    },
    {
      title: 'Accuracy on the test digits',
      x: { label: 'epoch', values: epochs },
      y: { label: 'recognized (%)', log: false, digits: 2 },
      series: runs.map(({ name, accuracies }) => ({ name, values: accuracies.map((value) => 100 * value) })),
    },
  ];
}

const row = ([name, ...cells]: readonly string[]): string =>
  `<tr><th scope="row">${html(name!)}</th>${cells.map((cell) => `<td>${html(cell)}</td>`).join('')}</tr>`;

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const html = (text: string): string => text.replaceAll(/[&<>"']/g, (character) => entities[character]!);

/** In a script element only `<` can end the text or change its meaning; in JSON it may be written like this. */
const inScript = (json: string): string => json.replaceAll('<', '\\u003c');

const ownFile = (name: string): string => readFileSync(new URL(name, import.meta.url), 'utf8').trimEnd();

const packageFile = (name: string): string =>
  readFileSync(createRequire(import.meta.url).resolve(name), 'utf8').trimEnd();
