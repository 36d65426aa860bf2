/** A line with a band, in the x values of its chart. */
export interface Series {
  readonly name: string;
  readonly color: string;
  readonly values: readonly number[];
  /** The x values of this line. Default: those of the chart. */
  readonly x?: readonly number[];
  /** The half of the width of the band, for each value. */
  readonly deviations: readonly number[];
}

/** An axis: its label and the numbers at its ticks; the first and the last are its ends. */
interface Axis {
  readonly label: string;
  readonly ticks: readonly number[];
  readonly isLogarithmic: boolean;
}

/** Lines with bands over common x values. */
export interface LineChart {
  readonly title: string;
  readonly x: Axis & { readonly values: readonly number[] };
  readonly y: Axis;
  readonly series: readonly Series[];
}

const [width, height] = [720, 400];
const area = { left: 64, right: 470, top: 44, bottom: 346 };

/** Draws a chart as an SVG file with a white background. */
export function lineChart({ title, x, y, series }: LineChart): string {
  const across = scale(x, area.left, area.right);
  const up = scale(y, area.bottom, area.top);
  const points = (own: Series, values: readonly number[]): string[] =>
    values.map((value, i) => `${across((own.x ?? x.values)[i]!)},${up(value)}`);
  const band = (own: Series): string => {
    const { values, deviations, color } = own;
    const upper = points(
      own,
      values.map((value, i) => value + deviations[i]!),
    );
    const lower = points(
      own,
      values.map((value, i) => value - deviations[i]!),
    ).reverse();
    return `<polygon points="${[...upper, ...lower].join(' ')}" fill="${color}" opacity="0.15"/>`;
  };
  const line = (own: Series): string =>
    `<polyline points="${points(own, own.values).join(' ')}" fill="none" stroke="${own.color}" stroke-width="2"/>`;
  const legend = ({ name, color }: Series, i: number): string => {
    const top = area.top + 10 + 24 * i;
    return `<path d="M${area.right + 16} ${top}h20" stroke="${color}" stroke-width="3"/>${text(name, area.right + 42, top + 4)}`;
  };
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12" fill="#1b1f24">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    text(title, area.left, 24, 'font-size="15" font-weight="600"'),
    ...x.ticks.flatMap((tick) => [
      `<path d="M${across(tick)} ${area.top}V${area.bottom}" stroke="#e3e7eb"/>`,
      text(String(tick), across(tick), area.bottom + 18, 'text-anchor="middle"'),
    ]),
    ...y.ticks.flatMap((tick) => [
      `<path d="M${area.left} ${up(tick)}H${area.right}" stroke="#e3e7eb"/>`,
      text(String(tick), area.left - 8, up(tick) + 4, 'text-anchor="end"'),
    ]),
    text(x.label, (area.left + area.right) / 2, area.bottom + 40, 'text-anchor="middle"'),
    text(
      y.label,
      0,
      0,
      `text-anchor="middle" transform="translate(16 ${(area.top + area.bottom) / 2}) rotate(-90)"`,
    ),
    ...series.map(band),
    ...series.map(line),
    ...series.map(legend),
    '</svg>',
  ].join('\n')}\n`;
}

/** Maps the values of an axis to pixels; what lies outside of the axis goes to its end. */
function scale({ ticks, isLogarithmic }: Axis, from: number, to: number): (value: number) => number {
  const place = (value: number): number => (isLogarithmic ? Math.log(value) : value);
  const [first, last] = [ticks[0]!, ticks.at(-1)!];
  return (value) => {
    const inside = Math.min(Math.max(value, first), last);
    const part = (place(inside) - place(first)) / (place(last) - place(first));
    return Math.round(10 * (from + part * (to - from))) / 10;
  };
}

const text = (content: string, x: number, y: number, attributes = ''): string =>
  `<text x="${x}" y="${y}"${attributes === '' ? '' : ` ${attributes}`}>${escaped(content)}</text>`;

const escaped = (content: string): string =>
  content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
