import type { WebGLProgram } from '../../engine/webglPrograms.ts';
import { type Run, runsOf } from './layout.ts';

/**
 * The schedule of a draw call that reduces slices with one norm each. `parts` fragments share a slice; the first one
 * takes its numbers 0, parts, 2·parts, …, so that neighbouring fragments read neighbouring numbers.
 */
export interface FragmentSchedule {
  readonly runs: readonly Run[];
  /** The number of slices and the length of each. */
  readonly slices: number;
  readonly length: number;
  readonly parts: number;
}

/** The maximum of numbers that a fragment reads. With more, a second draw call is faster. */
const MOST_READS = 1024;

/** The number of slices from which one fragment for each occupies the whole GPU. */
const MANY_SLICES = 16_384;

/** Returns the schedule for a tensor with a norm over some axes. */
export function scheduleFragments(shape: readonly number[], axes: readonly number[]): FragmentSchedule {
  const runs = runsOf(shape, axes);
  const count = (isKept: boolean) =>
    runs.reduce((product, run) => (run.isKept === isKept ? product * run.size : product), 1);
  const [slices, length] = [count(true), count(false)];
  const isLong = length > MOST_READS && slices < MANY_SLICES;
  return { runs, slices, length, parts: isLong ? Math.ceil(Math.sqrt(length)) : 1 };
}

/** Returns the schedule of the draw call that reduces the results of the parts. */
export const scheduleParts = ({ slices, parts }: FragmentSchedule): FragmentSchedule => ({
  runs: [
    { size: slices, isKept: true },
    { size: parts, isKept: false },
  ],
  slices,
  length: parts,
  parts: 1,
});

/** Returns the values of the integers of a program. */
export function integersOf({ runs, length, parts }: FragmentSchedule): number[] {
  const strides: number[] = [];
  let stride = 1;
  for (const { size } of [...runs].reverse()) {
    strides.unshift(stride);
    stride *= size;
  }
  return [length, parts, ...runs.flatMap(({ size }, i) => [size, strides[i]!])];
}

const integerNames = (runs: readonly Run[]): string[] => [
  'sliceLength',
  'parts',
  ...runs.flatMap((_, i) => [`size${i}`, `stride${i}`]),
];

/** The result of a program: sums over slices or their parts, or one number for each number of the tensor. */
export type Output = 'norm' | 'product' | 'sum' | 'W' | 'dv';

/** Makes the program that computes an output. */
export function weightNormProgram({ runs }: FragmentSchedule, output: Output): WebGLProgram {
  const { inputs, code } = outputs[output];
  const isSum = code.includes('startOf');
  return {
    inputs,
    code: `${isSum ? offset('startOf', runs, true) + offset('at', runs, false) : normOf(runs)}
${code}`,
    integers: integerNames(runs),
    numbers: ['eps'],
  };
}

/**
 * The GLSL function for the position where slice `i` begins, or for the distance of number `i` of a slice from there.
 */
const offset = (name: string, runs: readonly Run[], isKept: boolean): string => {
  const parts = runs.flatMap((run, i) => (run.isKept === isKept ? [i] : [])).reverse();
  const terms = parts.map((i, j) =>
    j === parts.length - 1
      ? `place += rest * stride${i};`
      : `place += rest % size${i} * stride${i}; rest /= size${i};`,
  );
  return `int ${name}(int i) { int rest = i; int place = 0; ${terms.join(' ')} return place; }\n`;
};

/** The GLSL function for the norm that number `i` of the tensor belongs to. */
const normOf = (runs: readonly Run[]): string => {
  const terms = runs.flatMap(({ isKept }, i) =>
    isKept ? [`norm = norm * size${i} + i / stride${i}${i === 0 ? '' : ` % size${i}`};`] : [],
  );
  return `int normOf(int i) { int norm = 0; ${terms.join(' ')} return norm; }`;
};

/** The GLSL loop that adds up a part of a slice, four numbers at a time. `four` and `one` read numbers from `i`. */
const loop = (four: string, one: string): string => `
  int k = first;
  for (; k + 3 * parts < sliceLength; k += 4 * parts) {
    ivec4 i = start + ivec4(at(k), at(k + parts), at(k + 2 * parts), at(k + 3 * parts));
    ${four}
  }
  for (; k < sliceLength; k += parts) {
    int i = start + at(k);
    ${one}
  }`;

const readFour = (name: string): string =>
  `vec4(${['x', 'y', 'z', 'w'].map((c) => `get${name}(i.${c})`).join(', ')})`;

const begin = `
  int index = getOutputCoords();
  int first = index % parts;
  int start = startOf(index / parts);`;

/** `max(‖v‖, eps)`; 1 where v is zero. Shader compilers disagree about comparisons with NaN. */
const divisor = `
float divisorOf(float norm) { return isnan(norm) ? norm : norm == 0. ? 1. : norm < eps ? eps : norm; }`;

/** A power of two as a constant, because `exp2` is not exact on every GPU. */
const powerOf2 = (exponent: number): string => (2 ** exponent).toExponential();

const outputs: Record<Output, { inputs: string[]; code: string }> = {
  // A sum is right if no square over- or underflows in float32. Other sums are computed again, with small and large
  // numbers scaled by powers of two (Blue, A Portable Fortran Program to Find the Euclidean Norm of a Vector).
  norm: {
    inputs: ['x'],
    code: `
const float LARGE = ${powerOf2(50)};
const float SMALL = ${powerOf2(-50)};
const float DOWN = ${powerOf2(-75)};
const float UP = ${powerOf2(75)};

// The norm of two numbers. Compilers may merge consecutive factors, so no power of two can be taken out of a square.
float hypotenuse(float a, float b) { return a * sqrt(1. + b / a * (b / a)); }

float scaledNorm(int first, int start) {
  float large = 0.;
  float middle = 0.;
  float small = 0.;
  for (int k = first; k < sliceLength; k += parts) {
    float x = getX(start + at(k));
    float size = abs(x);
    float y = x * (size > LARGE ? DOWN : size < SMALL ? UP : 1.);
    if (size > LARGE) large += y * y;
    else if (size < SMALL) small += y * y;
    else middle += y * y;
  }
  if (large > 0.) return hypotenuse(UP * sqrt(large), sqrt(middle));
  if (middle > 0.) return hypotenuse(sqrt(middle), DOWN * sqrt(small));
  return DOWN * sqrt(small);
}

void main() {
  ${begin}
  vec4 squares = vec4(0.);
  ${loop(`vec4 x = ${readFour('X')}; squares += x * x;`, 'float x = getX(i); squares.x += x * x;')}
  float sum = dot(squares, vec4(1.));
  bool isRight = sum > float(sliceLength) * ${powerOf2(-100)} && sum < ${powerOf2(126)};
  setOutput(isRight || isnan(sum) ? sqrt(sum) : scaledNorm(first, start));
}`,
  },
  product: {
    inputs: ['dW', 'v', 'norms'],
    code: `${divisor}

void main() {
  ${begin}
  float inverse = 1. / divisorOf(getNorms(index / parts));
  vec4 products = vec4(0.);
  ${loop(
    `products += ${readFour('DW')} * (${readFour('V')} * inverse);`,
    'products.x += getDW(i) * (getV(i) * inverse);',
  )}
  setOutput(dot(products, vec4(1.)));
}`,
  },
  sum: {
    inputs: ['x'],
    code: `
void main() {
  ${begin}
  vec4 sums = vec4(0.);
  ${loop(`sums += ${readFour('X')};`, 'sums.x += getX(i);')}
  setOutput(dot(sums, vec4(1.)));
}`,
  },
  W: {
    inputs: ['v', 'g', 'norms'],
    code: `${divisor}

void main() {
  int index = getOutputCoords();
  int norm = normOf(index);
  setOutput(getG(norm) * (getV(index) / divisorOf(getNorms(norm))));
}`,
  },
  dv: {
    inputs: ['dW', 'v', 'g', 'norms', 'dg'],
    code: `${divisor}

void main() {
  int index = getOutputCoords();
  int i = normOf(index);
  float norm = getNorms(i);
  float divisor = divisorOf(norm);
  float along = (norm > eps ? 1. : 0.) * getDg(i);
  float across = getDW(index) - getV(index) / divisor * along;
  float g = getG(i) * (norm == 0. ? 0. : 1.);
  // g · across / divisor in the order in which nothing becomes too large or too small on the way.
  bool isLarger = abs(g) > abs(across);
  float larger = isLarger ? g : across;
  float smaller = isLarger ? across : g;
  setOutput(divisor < 1. ? smaller / divisor * larger : larger / divisor * smaller);
}`,
  },
};
