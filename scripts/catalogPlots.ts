/**
 * Draws the figures of docs/catalog.md from the maps of the package.
 *
 *     npm run catalog:plots
 */
import '@tensorflow/tfjs';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import {
  aol,
  Ball,
  circulant,
  correlation,
  doublyStochastic,
  hurwitz,
  Interval,
  kronecker,
  lowRank,
  MaxNorm,
  NonNeg,
  nn,
  orthogonal,
  type Parametrization,
  Positive,
  positiveDefinite,
  positiveSemidefinite,
  Simplex,
  StableDiagonal,
  simplex,
  skew,
  specialLinear,
  symmetric,
  toeplitz,
  triangular,
  UnitNorm,
} from '../src/index.ts';

// Colours of a middle brightness, which are legible on white and on black.
const [TEXT, FAINT, BLUE, ORANGE] = ['#7a828e', '#7a828e66', '#3b82f6', '#e8743b'];

const SIDE = 150;
const PITCH = 174;

interface Panel {
  readonly title: string;
  readonly body: string;
}

const number = (x: number): string => String(Math.round(x * 10) / 10);

/** Puts panels into rows of four, with a title above each. */
function figure(description: string, panels: readonly Panel[]): string {
  const rows = Math.ceil(panels.length / 4);
  const [width, height] = [4 * PITCH, rows * (PITCH + 8)];
  const drawn = panels.map(({ title, body }, i) => {
    const [x, y] = [(i % 4) * PITCH + 12, Math.floor(i / 4) * (PITCH + 8) + 24];
    return `<g transform="translate(${x} ${y})">
<text x="${SIDE / 2}" y="-8" text-anchor="middle">${title}</text>
${body}
</g>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="13" fill="${TEXT}">
<title>${description}</title>
${drawn.join('\n')}
</svg>
`;
}

/** The place of a point in a panel with the origin in the middle. */
const place =
  (range: number) =>
  (x: number, y: number): string => {
    const at = (t: number): string => number((SIDE / 2) * (1 + t / range));
    return `${at(x)} ${at(-y)}`;
  };

const axes = `<path d="M0 ${SIDE / 2}H${SIDE}M${SIDE / 2} 0V${SIDE}" stroke="${FAINT}"/>`;

const line = (d: string, colour: string): string =>
  `<path d="${d}" fill="none" stroke="${colour}" stroke-width="2"/>`;

const dots = (places: readonly string[], colour: string): string =>
  `<path d="${places.map((at) => `M${at}h0`).join('')}" stroke="${colour}" stroke-width="4" stroke-linecap="round"/>`;

/** The numbers of a tensor; random ones are the same in every run, whatever was drawn before. */
function numbersOf(make: () => tf.Tensor): number[] {
  nn.manualSeed(2);
  return [...tf.tidy(() => make().dataSync())];
}

/** The value of maps of one number: W over X, both from −4 to 4. */
function curves(title: string, ...maps: Parametrization[]): Panel {
  const x = Array.from({ length: 41 }, (_, i) => (i - 20) / 5);
  const at = place(4);
  const drawn = maps.map((map, i) => {
    const W = numbersOf(() => map.forward(tf.tensor1d(x)) as tf.Tensor);
    const end = W.findIndex((y) => y > 4);
    const seen = end < 0 ? W : W.slice(0, end);
    return line(`M${seen.map((y, j) => at(x[j]!, y)).join('L')}`, [BLUE, ORANGE][i]!);
  });
  return { title, body: [axes, ...drawn].join('\n') };
}

/** The way of points of the plane into a set of vectors. */
function ways(title: string, map: Parametrization): Panel {
  const X = numbersOf(() => tf.randomNormal([40, 2], 0, 1.2, 'float32', 5));
  const W = numbersOf(() => map.forward(tf.tensor2d(X, [40, 2])) as tf.Tensor);
  const at = place(2.6);
  const points = (numbers: number[]): string[] =>
    Array.from({ length: 40 }, (_, i) => at(numbers[2 * i]!, numbers[2 * i + 1]!));
  const ends = points(W);
  const paths = points(X).map((start, i) => `M${start}L${ends[i]}`);
  return {
    title,
    body: [axes, `<path d="${paths.join('')}" stroke="${FAINT}"/>`, dots(ends, BLUE)].join('\n'),
  };
}

/** The eigenvalues of 60 real matrices [2, 2] in the complex plane. */
function eigenvalues(title: string, matrices: () => tf.Tensor): Panel {
  const numbers = numbersOf(matrices);
  const range = 2.6;
  const values = Array.from({ length: numbers.length / 4 }, (_, i) => {
    const [a, b, c, d] = numbers.slice(4 * i, 4 * i + 4) as [number, number, number, number];
    const middle = (a + d) / 2;
    const square = middle ** 2 - (a * d - b * c);
    const root = Math.sqrt(Math.abs(square));
    return [-root, root].map((part): [number, number] => (square < 0 ? [middle, part] : [middle + part, 0]));
  }).flat();
  const inside = values.filter((value) => value.every((part) => Math.abs(part) <= range));
  const places = inside.map(([re, im]) => place(range)(re, im));
  const radius = number(SIDE / 2 / range);
  const circle = `<circle cx="${SIDE / 2}" cy="${SIDE / 2}" r="${radius}" fill="none" stroke="${FAINT}"/>`;
  return { title, body: [axes, circle, dots([...new Set(places)], BLUE)].join('\n') };
}

/** The elements of one matrix [6, 6]: positive ones blue, negative ones orange, larger ones stronger. */
function elements(title: string, matrix: () => tf.Tensor): Panel {
  const numbers = numbersOf(matrix);
  const size = SIDE / 6;
  const largest = Math.max(...numbers.map(Math.abs));
  const levels = new Map<string, string>();
  for (const [i, x] of numbers.entries()) {
    const level = Math.round((5 * Math.abs(x)) / largest);
    if (level === 0) continue;
    const look = `fill="${x > 0 ? BLUE : ORANGE}" fill-opacity="${level / 5}"`;
    const square = `M${(i % 6) * size} ${Math.floor(i / 6) * size}h${size}v${size}h-${size}z`;
    levels.set(look, `${levels.get(look) ?? ''}${square}`);
  }
  const frame = `<path d="M0 0H${SIDE}V${SIDE}H0z" fill="none" stroke="${FAINT}"/>`;
  return { title, body: [...[...levels].map(([look, d]) => `<path ${look} d="${d}"/>`), frame].join('\n') };
}

/** The figures by their file names. */
export function catalogFigures(): Record<string, string> {
  const square = [6, 6];
  const shapes = [
    [2, 3],
    [3, 2],
  ] as const;
  const many = [60, 2, 2];
  return {
    'elements.svg': figure('W over X of the maps of elements, from −4 to 4', [
      curves('positive, softplus and exp', new Positive(), new Positive({ map: 'exp' })),
      curves('interval, −1 to 2', new Interval({ min: -1, max: 2 })),
      curves('stableDiagonal', new StableDiagonal()),
      curves('nonNeg', new NonNeg()),
    ]),
    'vectors.svg': figure('The way of random vectors of the plane into sets of vectors', [
      ways('sphere, unitNorm', new UnitNorm({ axis: -1 })),
      ways('ball', new Ball()),
      ways('maxNorm', new MaxNorm({ maxValue: 1, axis: -1 })),
      ways('simplex', new Simplex()),
    ]),
    'matrices.svg': figure('The elements of a random matrix of each set', [
      elements('triangular', () => triangular.sample(square)),
      elements('symmetric', () => symmetric.sample(square)),
      elements('skew', () => skew.sample(square)),
      elements('simplex', () => simplex.sample(square)),
      elements('positiveDefinite', () => positiveDefinite.sample(square)),
      elements('correlation', () => correlation.sample(square)),
      elements('doublyStochastic', () => doublyStochastic.sample(square)),
      elements('orthogonal', () => orthogonal.sample(square)),
    ]),
    'structured.svg': figure('The elements of a random structured matrix', [
      elements('toeplitz', () => toeplitz.sample(square)),
      elements('circulant', () => circulant.sample(square)),
      elements('kronecker, [2, 3] ⊗ [3, 2]', () => kronecker.sample(square, { shapes })),
      elements('lowRank, rank 1', () => lowRank.sample(square, { rank: 1 })),
    ]),
    'eigenvalues.svg': figure('The eigenvalues of 60 random matrices of two rows, with the unit circle', [
      eigenvalues('any matrix', () => tf.randomNormal(many, 0, 1, 'float32', 3)),
      eigenvalues('symmetric', () => symmetric.sample(many)),
      eigenvalues('skew', () => skew.sample(many)),
      eigenvalues('positiveSemidefinite', () => positiveSemidefinite.sample(many)),
      eigenvalues('orthogonal, special', () => orthogonal.sample(many, { special: true })),
      eigenvalues('specialLinear', () => specialLinear.sample(many)),
      eigenvalues('hurwitz', () => hurwitz.sample(many)),
      eigenvalues('aol', () => aol.sample(many)),
    ]),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await tf.setBackend('cpu');
  const folder = fileURLToPath(new URL('../docs/catalog/', import.meta.url));
  mkdirSync(folder, { recursive: true });
  for (const [name, svg] of Object.entries(catalogFigures())) writeFileSync(join(folder, name), svg);
}
