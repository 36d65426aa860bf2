import * as tf from '@tensorflow/tfjs-core';

/** One step of a chain, in operations of tfjs: the value of originals or of the step before, and what it does to state. */
export interface ReferenceStep {
  value(...inputs: tf.Tensor[]): tf.Tensor;
  /** The right inverse; null where roundings decide what it gives. It may set state. */
  inverse(value: tf.Tensor): tf.Tensor[] | null;
  /** What an evaluation in training mode changes, before it. */
  update?(input: tf.Tensor): void;
  /** How many times the rounding errors of the last input are larger in the value, where it is more than a few times. */
  condition?: number;
  /** The columns that evaluations have found on a limit, within rounding, and whether the limit leaves them as they are. */
  readonly kinks?: Map<number, boolean>;
  /** Notes the state; returns what brings it back. */
  saveState?(): () => void;
  dispose?(): void;
}

/** A tensor of the uncached reference: a variable, or a chain on such tensors that every read computes anew. */
export interface ReferenceTensor {
  variable: tf.Variable | null;
  originals: ReferenceTensor[];
  steps: ReferenceStep[];
}

/** The value now. `training` lets the steps change their state, as a read does. */
export function evaluate(node: ReferenceTensor, training: boolean): tf.Tensor {
  if (node.variable !== null) return node.variable;
  const inputs = node.originals.map((original) => evaluate(original, training));
  return run(node.steps, inputs, training);
}

function run(steps: readonly ReferenceStep[], inputs: readonly tf.Tensor[], training: boolean): tf.Tensor {
  let values = inputs;
  for (const step of steps) {
    if (training) step.update?.(values[0]!);
    values = [step.value(...values)];
  }
  return values[0]!;
}

/**
 * The value of a tensor with other steps, after the first `count` of them were given a value: it goes through their right
 * inverses, and those of the originals. Null where roundings decide on it.
 */
export function evaluateGiven(
  { originals }: ReferenceTensor,
  steps: readonly ReferenceStep[],
  count: number,
  value: tf.Tensor,
): tf.Tensor | null {
  let images: tf.Tensor[] = [value];
  for (const step of steps.slice(0, count).reverse()) {
    const before = step.inverse(images[0]!);
    if (before === null) return null;
    images = before;
  }
  const inputs: tf.Tensor[] = [];
  for (const [i, image] of images.entries()) {
    const below = originals[i];
    const input =
      below === undefined || below.variable !== null
        ? image
        : evaluateGiven(below, below.steps, below.steps.length, image);
    if (input === null) return null;
    inputs.push(input);
  }
  return run(steps, inputs, false);
}

/** The variables below a tensor, in order. */
export const leaves = (node: ReferenceTensor): tf.Variable[] =>
  node.variable !== null ? [node.variable] : node.originals.flatMap(leaves);

/** The steps of a tensor and of what is below it. */
export const stepsOf = ({ originals, steps }: ReferenceTensor): ReferenceStep[] => [
  ...originals.flatMap(stepsOf),
  ...steps,
];

/** How many times rounding errors grew in the last evaluation: what the steps made of them one after the other. */
export const conditionOf = ({ originals, steps }: ReferenceTensor): number =>
  [...originals.map(conditionOf), ...steps.map(({ condition = 1 }) => condition)].reduce((a, b) => a * b, 1);

/** The numbers of a tensor, without a trace on a tape: what they decide is a constant. */
export const numbersOf = (x: tf.Tensor): number[] => [...x.dataSync()];

/** Norms over an axis; of zeros, 1 without a gradient, where that of a square root is NaN. */
function lengths(x: tf.Tensor, axis: number): tf.Tensor {
  const squares = tf.sum(tf.square(x), axis, true);
  const ones = numbersOf(squares).map((square) => Number(square === 0));
  return tf.sqrt(tf.add(squares, tf.tensor(ones, squares.shape)));
}

/** `X/‖X‖`, and zero with a gradient of zero where X is. */
function directions(X: tf.Tensor, axis: number): tf.Tensor {
  const squares = tf.sum(tf.square(X), axis, true);
  const isNonzero = numbersOf(squares).map((square) => Number(square !== 0));
  return tf.mul(tf.div(X, lengths(X, axis)), tf.tensor(isNonzero, squares.shape));
}

const masked = (x: tf.Tensor, keeps: (row: number, column: number) => boolean): tf.Tensor => {
  const mask = Array.from({ length: 9 }, (_, i) => Number(keeps(Math.floor(i / 3), i % 3)));
  return tf.mul(x, tf.tensor2d(mask, [3, 3]));
};

/** The steps that have no state. */
export const steps = {
  weightNorm: (axis: number): ReferenceStep => ({
    value: (g, v) => tf.mul(g!, directions(v!, axis)),
    inverse: (W) => [tf.sqrt(tf.sum(tf.square(W), axis, true)), W],
  }),
  unitNorm: (): ReferenceStep => ({ value: (X) => directions(X!, 0), inverse: (W) => [W] }),
  limited,
  nonNeg: (): ReferenceStep => ({ value: (X) => tf.abs(X!), inverse: (W) => [tf.relu(W)] }),
  skew: (): ReferenceStep => ({
    value(X) {
      const upper = masked(X!, (i, j) => j > i);
      return tf.sub(upper, tf.transpose(upper));
    },
    inverse: (W) => [masked(W, (i, j) => j > i)],
  }),
  symmetric: (): ReferenceStep => ({
    value: (X) =>
      tf.add(
        masked(X!, (i, j) => j >= i),
        tf.transpose(masked(X!, (i, j) => j > i)),
      ),
    inverse: (W) => [masked(W, (i, j) => j >= i)],
  }),
  orthogonal: orthogonalStep,
};

/** Columns longer or shorter than the limits get the length of the nearest. */
function limited(least: number, most: number): ReferenceStep {
  const kinks = new Map<number, boolean>();
  const isInside = (size: number, column: number): boolean => {
    if (size === 0) return true;
    const isBetween = size >= least && size <= most;
    // Roundings decide on which side of a limit a norm lies that was given the limit.
    if (![least, most].some((limit) => Math.abs(size - limit) <= limit * 2 ** -20)) return isBetween;
    if (!kinks.has(column)) kinks.set(column, isBetween);
    return kinks.get(column)!;
  };
  return {
    kinks,
    inverse: (W) => [W],
    value(X) {
      const sizes = numbersOf(tf.sqrt(tf.sum(tf.square(X!), 0, true)));
      const inside = sizes.map(isInside);
      const limits = sizes.map((size, i) => (inside[i] ? 0 : Math.min(Math.max(size, least), most)));
      return tf.add(
        tf.mul(X!, tf.tensor2d(inside.map(Number), [1, 3])),
        tf.mul(tf.tensor2d(limits, [1, 3]), directions(X!, 0)),
      );
    },
  };
}

/** The Q of `W = QR` with a positive diagonal of R, by orthogonalized columns; null if W is almost singular. */
function orthogonalized(W: readonly number[]): number[] | null {
  const columns: number[][] = [];
  for (const j of [0, 1, 2]) {
    const column = [0, 1, 2].map((i) => W[3 * i + j]!);
    const length = Math.hypot(...column);
    let rest = column;
    for (const q of columns) {
      const along = rest.reduce((sum, x, i) => sum + x * q[i]!, 0);
      rest = rest.map((x, i) => x - along * q[i]!);
    }
    const size = Math.hypot(...rest);
    if (size <= 1e-3 * length) return null;
    columns.push(rest.map((x) => x / size));
  }
  return [0, 1, 2].flatMap((i) => columns.map((column) => column[i]!));
}

/** @param start - a copy of the orthogonal matrix that the map multiplies by */
function orthogonalStep(map: string, start: tf.Tensor2D): ReferenceStep {
  let base = start;
  // The angles of a turn are as large as A, and so are the rounding errors. Larger matrices the library scales down.
  const limit = map === 'cayley' ? 10_000 : 1280;
  const step: ReferenceStep = {
    value(X) {
      const lower = masked(X!, (i, j) => j < i);
      const A = tf.sub(lower, tf.transpose(lower)) as tf.Tensor2D;
      const size = Math.hypot(...numbersOf(A));
      step.condition = size < limit ? Math.max(1, size) : Number.POSITIVE_INFINITY;
      return tf.matMul(base, map === 'cayley' ? cayley(A) : exponential(A));
    },
    inverse(W) {
      const Q = orthogonalized(numbersOf(W));
      if (Q === null) return null;
      base.dispose();
      base = tf.keep(tf.tensor2d(Q, [3, 3]));
      return [tf.zerosLike(W)];
    },
    dispose: () => base.dispose(),
  };
  return step;
}

/** `(I − K)⁻¹(I + K)`, `K = A/2`: for a skew K of size 3, `(I − K)⁻¹ = I + (K + K²)/(1 + θ²)` with `θ² = Σ K²/2`. */
function cayley(A: tf.Tensor2D): tf.Tensor2D {
  const K = tf.mul(A, 0.5) as tf.Tensor2D;
  const square = tf.matMul(K, K);
  const angle = tf.add(1, tf.div(tf.sum(tf.square(K)), 2));
  const inverse = tf.add(tf.eye(3), tf.div(tf.add(K, square), angle)) as tf.Tensor2D;
  return tf.matMul(inverse, tf.add(tf.eye(3), K) as tf.Tensor2D);
}

/** `(Σ (A·2⁻ˢ)ᵏ/k!)^(2ˢ)`, with s so large that ten terms are enough. */
function exponential(A: tf.Tensor2D): tf.Tensor2D {
  const size = Math.hypot(...numbersOf(A));
  const squarings = size > 0.5 && size < 1e6 ? Math.ceil(Math.log2(size / 0.5)) : 0;
  const small = tf.mul(A, 2 ** -squarings) as tf.Tensor2D;
  let [sum, term] = [tf.eye(3) as tf.Tensor2D, tf.eye(3) as tf.Tensor2D];
  for (let k = 1; k <= 10; k++) {
    term = tf.div(tf.matMul(term, small), k);
    sum = tf.add(sum, term);
  }
  for (let i = 0; i < squarings; i++) sum = tf.matMul(sum, sum);
  return sum;
}

/** `W/(uᵀWv)`, where each evaluation in training mode multiplies u and v by W once. Zeros keep the vectors and are divided by 1. */
export function spectralStep(left: tf.Tensor, right: tf.Tensor): ReferenceStep {
  let [u, v] = [numbersOf(left), numbersOf(right)];
  const unit = (x: number[], before: number[]): number[] => {
    const length = Math.hypot(...x);
    return length === 0 ? before : x.map((a) => a / Math.max(length, 1e-12));
  };
  const dot = (a: number[], b: number[]): number => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
  const step: ReferenceStep = {
    /** The vectors follow the matrix. */
    inverse(W) {
      for (let i = 0; i < 15; i++) step.update!(W);
      return [W];
    },
    saveState() {
      const state = [u, v] as const;
      return () => {
        [u, v] = state;
      };
    },
    update(input) {
      const w = numbersOf(input);
      const rows = [0, 1, 2].map((i) => w.slice(3 * i, 3 * i + 3));
      u = unit(
        rows.map((row) => dot(row, v)),
        u,
      );
      const columns = [0, 1, 2].map((j) => rows.map((row) => row[j]!));
      v = unit(
        columns.map((column) => dot(column, u)),
        v,
      );
    },
    value(W) {
      const outer = tf.tensor2d(u.flatMap((a) => v.map((b) => a * b)), [3, 3]); // biome-ignore format: one product
      const terms = tf.mul(W!, outer);
      const sigma = tf.sum(terms);
      const size = numbersOf(terms).reduce((sum, x) => sum + Math.abs(x), 0);
      const divisor = numbersOf(sigma)[0]!;
      // In eval mode the vectors may be those of another matrix: σ is then what remains of terms that cancel out.
      step.condition = size === 0 ? 1 : size / Math.abs(divisor);
      // A constant takes the place of 0: the largest magnitude, or 1.
      const constant = Math.max(...numbersOf(W!).map(Math.abs)) || 1;
      return tf.div(W!, divisor === 0 ? constant : sigma);
    },
  };
  return step;
}
