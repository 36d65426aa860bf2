import type { Pass } from '../weightNorm/cases.ts';

/** A map on a matrix, and how much of it is computed. */
export interface Case {
  readonly map: 'spectralNorm' | 'matrixExp' | 'cayley' | 'householder';
  readonly shape: readonly [number, number];
  readonly pass: Exclude<Pass, 'backward'>;
}

/** The sizes by the name that `--sizes` takes: that of the square matrices, and the shape that spectral norm is measured on. */
export const sizes = {
  tiny: [64, [64, 64]],
  small: [256, [256, 256]],
  medium: [512, [512, 512]],
  large: [null, [1024, 4608]],
} as const satisfies Record<string, readonly [number | null, readonly [number, number]]>;

/** The cases of a size; those of orthogonal matrices are square. */
export function casesOf([square, shape]: (typeof sizes)[keyof typeof sizes]): Case[] {
  const passes = ['forward', 'forward and backward'] as const;
  const orthogonal = square === null ? [] : (['matrixExp', 'cayley', 'householder'] as const);
  return [
    ...passes.map((pass): Case => ({ map: 'spectralNorm', shape, pass })),
    ...orthogonal.flatMap((map) => passes.map((pass): Case => ({ map, shape: [square!, square!], pass }))),
  ];
}

/** The case in words. */
export const titleOf = ({ map, shape, pass }: Case): string => `${map}, [${shape.join(', ')}], ${pass}`;

/** How large the original of an orthogonal matrix is: as torch makes the weight of a dense layer. */
export const scaleOf = ({ map, shape }: Case): number =>
  map === 'spectralNorm' ? 1 : 1 / Math.sqrt(shape[0]);
