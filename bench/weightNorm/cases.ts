/** A matrix whose rows or columns are normalized, and how much of it is computed. */
export interface Case {
  readonly shape: readonly [number, number];
  /** The axis that keeps its norms. */
  readonly kept: 0 | 1;
  readonly pass: Pass;
}

/** What is computed: the weight; its gradients, from what the forward pass has saved; or both, with the tape. */
const passes = ['forward', 'backward', 'forward and backward'] as const;
export type Pass = (typeof passes)[number];

/** The shapes by the name that `--sizes` takes, as a dense layer or the taps of a convolution have them. */
export const shapes = {
  tiny: [64, 64],
  small: [256, 768],
  medium: [512, 4608],
  large: [1024, 9216],
} as const satisfies Record<string, readonly [number, number]>;

/** The cases of a shape: the first axis kept; the last one, with as many norms of the same length. */
export const casesOf = ([rows, columns]: readonly [number, number]): Case[] =>
  passes.flatMap((pass) => [
    { shape: [rows, columns], kept: 0, pass },
    { shape: [columns, rows], kept: 1, pass },
  ]);

/** The case in words. */
export const titleOf = ({ shape, kept, pass }: Case): string =>
  `[${shape.join(', ')}], ${kept === 0 ? 'first' : 'last'} axis, ${pass}`;

/** A tensor that is the same in every program: number i is `offset + sin(phase·(i + 1))`. */
export interface Wave {
  readonly shape: readonly number[];
  readonly phase: number;
  readonly offset: number;
}

/** The tensors of a case. */
export function inputsOf({ shape, kept }: Case): Readonly<Record<'g' | 'v' | 'dW', Wave>> {
  const norms = shape.map((size, axis) => (axis === kept ? size : 1));
  return {
    g: { shape: norms, phase: 0.3, offset: 2 },
    v: { shape, phase: 0.7, offset: 0 },
    dW: { shape, phase: 1.9, offset: 0 },
  };
}
