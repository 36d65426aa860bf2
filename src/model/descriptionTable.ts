import { joinPath } from '../core/paths.ts';
import { formatShape } from '../core/shapes.ts';
import { pluralize } from '../core/text.ts';
import { textTable } from '../core/textTable.ts';
import type { ElementCount } from './countOf.ts';
import type { DescribedTensor, DescribedTotals, DescriptionData, PlainTensor } from './description.ts';

/** A table of texts; the first row is the head. */
interface Table {
  readonly rows: readonly (readonly string[])[];
  /** The first column with numbers. */
  readonly firstNumber: number;
}

/** Formats a description as text. */
export function descriptionText(data: DescriptionData): string {
  const tables = tablesOf(data).map(({ rows, firstNumber }) =>
    textTable(rows, (column) => column >= firstNumber),
  );
  if (data.rows.length === 0) tables.unshift(NOTHING);
  return data.rows.length === 0 && tables.length === 1
    ? NOTHING
    : [...tables, totalsText(data.totals)].join('\n');
}

/**
 * Formats a description as HTML without scripts and without anything from elsewhere.
 *
 * @param norms - for each row the norms that are drawn, or null; default none
 */
export function descriptionHTML(
  data: DescriptionData,
  norms: readonly (ArrayLike<number> | null)[] = [],
): string {
  const tables = tablesOf(data).map(({ rows: [head, ...body], firstNumber }) => {
    const hasBars = norms.length > 0 && body.length === norms.length && firstNumber === FIRST_COUNT;
    const line = (tag: 'th' | 'td', cells: readonly string[], bars: string): string =>
      `<tr>${cells.map((cell, i) => `<${tag} style="${cellStyle(i >= firstNumber)}">${escaped(cell)}</${tag}>`).join('')}${hasBars ? `<${tag} style="${cellStyle(false)}">${bars}</${tag}>` : ''}</tr>`;
    const rows = body.map((cells, i) => line('td', cells, barsOf(norms[i] ?? null))).join('');
    return `<table style="border-collapse:collapse"><thead>${line('th', head!, 'norms per output')}</thead><tbody>${rows}</tbody></table>`;
  });
  const nothing = data.rows.length === 0 ? `<p>${NOTHING}</p>` : '';
  return `<div style="font-family:monospace">${nothing}${tables.join('')}<p>${escaped(totalsText(data.totals))}</p></div>`;
}

const NOTHING = 'nothing is parametrized';

/** The first column with a count in the table of parametrized tensors. */
const FIRST_COUNT = 5;

/** The most bars of a tensor. Further outputs share a bar, which has the largest of their norms. */
const MOST_BARS = 64;

/** Draws norms as bars above 0, with the smallest and the largest as text. */
function barsOf(norms: ArrayLike<number> | null): string {
  if (norms === null || norms.length === 0) return '';
  const share = Math.ceil(norms.length / MOST_BARS);
  const heights = Array.from({ length: Math.ceil(norms.length / share) }, (_, i) =>
    Math.max(...Array.from(norms).slice(i * share, (i + 1) * share)),
  );
  const largest = Math.max(...heights);
  const bars = heights.map((height, i) => {
    const part = height / largest;
    const size = Number.isFinite(part) ? Math.max(1, Math.round(20 * part)) : 1;
    return `<rect x="${4 * i}" y="${20 - size}" width="3" height="${size}" fill="#47a"/>`;
  });
  const text = [Math.min(...Array.from(norms)), largest].map((value) => value.toPrecision(3)).join(' to ');
  return `<svg width="${4 * heights.length}" height="20" role="img" aria-label="${text}">${bars.join('')}</svg> ${text}`;
}

const cellStyle = (isNumber: boolean): string =>
  `border:1px solid #ccc;padding:2px 6px;text-align:${isNumber ? 'right' : 'left'}`;

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => escapes[character]!);

function tablesOf({ rows, unparametrized }: DescriptionData): Table[] {
  const parametrized: Table = {
    rows: [
      ['tensor', 'host', 'shape', 'chain', 'originals', 'parameters', 'bytes', 'reads', 'evaluations'],
      ...rows.map(parametrizedCells),
    ],
    firstNumber: FIRST_COUNT,
  };
  const plain: Table = {
    rows: [['tensor', 'host', 'shape', 'trained', 'bytes'], ...unparametrized.map(plainCells)],
    firstNumber: 4,
  };
  return [parametrized, plain].filter((table) => table.rows.length > 1);
}

const parametrizedCells = (row: DescribedTensor): string[] => [
  placesText(row),
  row.host,
  formatShape(row.shape),
  row.chain.map((text, i) => ((row.declaredBy[i] ?? null) === null ? text : `@${text}`)).join(' → '),
  row.originals.map(({ shape, trainable }) => `${formatShape(shape)}${trainable ? '' : ' frozen'}`).join(' '),
  countText(row.parameters),
  String(row.bytes),
  String(row.reads),
  String(row.evaluations),
];

const plainCells = (row: PlainTensor): string[] => [
  placesText(row),
  row.host,
  formatShape(row.shape),
  row.isBuffer ? 'buffer' : row.trainable ? 'yes' : 'no',
  String(row.bytes),
];

/** The paths of a tensor: `0.weight = 2.weight` for a shared module. */
const placesText = ({ paths, tensor }: Pick<PlainTensor, 'paths' | 'tensor'>): string =>
  paths.map((path) => joinPath(path, tensor)).join(' = ');

/** Formats a number of elements: `12`, or `4/12` if only some are trained. */
const countText = ({ trainable, all }: ElementCount): string =>
  trainable === all ? String(all) : `${trainable}/${all}`;

const totalsText = ({ tensors, parametrized, parameters, bytes }: DescribedTotals): string =>
  `${parametrized} of ${pluralize(tensors, 'tensor')} parametrized, ${countText(parameters)} parameters, ${pluralize(bytes, 'byte')}`;
