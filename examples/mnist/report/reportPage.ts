import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { conclusions } from '../conclusions.ts';
import type { Options } from '../readOptions.ts';
import { type Results, type ResultTable, resultTables } from '../resultTables.ts';
import { charts } from './charts.ts';

/** One page with the tables and the charts. It holds all that it needs, and its policy forbids it to load anything. */
export function reportPage(results: Results, options: Options): string {
  const settings = [
    `layers: ${options.depth}`,
    `epochs: ${options.epochs}`,
    `digits per step: ${options.batchSize}`,
    `learning rate of Adam: ${options.learningRate}`,
    `seeds: ${options.seeds}`,
    `backend: ${options.backend}`,
    `digits: ${options.limit}`,
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Can a network of ${options.depth} layers learn?</title>
<style>
${packageFile('uplot/dist/uPlot.min.css')}
${ownFile('report.css')}
</style>
</head>
<body>
<main>
<h1>Can a network of ${options.depth} layers learn?</h1>
<p>One network on MNIST digits, trained in three ways from the same weights on the same batches: as it is, with every
weight normalized, and normalized with norms and biases from one batch.</p>
<p>${html(settings.join(', '))}</p>
${conclusions(results)
  .map((sentence) => `<p>${html(sentence)}</p>`)
  .join('\n')}
<div class="charts" id="charts"></div>
${resultTables(results).map(tableOf).join('\n')}
</main>
<script type="application/json" id="data">${inScript(JSON.stringify(charts(results.runs)))}</script>
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

const tableOf = ({ title, columns, rows }: ResultTable): string => `<h2>${html(title)}</h2>
<div class="table">
<table>
<thead><tr>${columns.map((name) => `<th scope="col">${html(name)}</th>`).join('')}</tr></thead>
<tbody>
${rows.map(rowOf).join('\n')}
</tbody>
</table>
</div>`;

const rowOf = ([name, ...cells]: readonly string[]): string =>
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
