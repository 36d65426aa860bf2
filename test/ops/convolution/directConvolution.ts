import type { ConvolutionGeometry } from '../../../src/ops/convolution/correlate.ts';

/** A case with all shapes; numbers are flat and row-major, in float64. */
export interface ConvolutionCase extends ConvolutionGeometry {
  readonly inputShape: [number, number, number, number];
  readonly filterShape: [number, number, number, number];
  readonly outputShape: [number, number, number, number];
}

/** Calls `visit` with the flat indices of every product y[·] += x[·]·w[·] of a convolution, straight from the formula. */
function eachProduct(c: ConvolutionCase, visit: (y: number, x: number, w: number) => void): void {
  const [n, height, width, channels] = c.inputShape;
  const [kh, kw, inPerGroup, outChannels] = c.filterShape;
  const [, oh, ow] = c.outputShape;
  const outPerGroup = outChannels / c.groups;
  for (let b = 0; b < n; b++)
    for (let p = 0; p < oh; p++)
      for (let q = 0; q < ow; q++)
        for (let o = 0; o < outChannels; o++)
          for (let i = 0; i < kh; i++)
            for (let j = 0; j < kw; j++) {
              const row = p * c.strides[0] + i * c.dilations[0] - c.pads[0][0];
              const column = q * c.strides[1] + j * c.dilations[1] - c.pads[1][0];
              // Negative pads crop: what they cut off counts as outside.
              const rows = [Math.max(0, -c.pads[0][0]), height + Math.min(0, c.pads[0][1])] as const;
              const columns = [Math.max(0, -c.pads[1][0]), width + Math.min(0, c.pads[1][1])] as const;
              if (row < rows[0] || row >= rows[1] || column < columns[0] || column >= columns[1]) continue;
              const group = Math.floor(o / outPerGroup);
              for (let k = 0; k < inPerGroup; k++) {
                visit(
                  ((b * oh + p) * ow + q) * outChannels + o,
                  ((b * height + row) * width + column) * channels + group * inPerGroup + k,
                  ((i * kw + j) * inPerGroup + k) * outChannels + o,
                );
              }
            }
}

const zeros = (shape: readonly number[]): number[] => new Array(shape.reduce((a, b) => a * b, 1)).fill(0);

/** y from x and w. */
export function directOutput(c: ConvolutionCase, x: ArrayLike<number>, w: ArrayLike<number>): number[] {
  const y = zeros(c.outputShape);
  eachProduct(c, (iy, ix, iw) => {
    y[iy]! += x[ix]! * w[iw]!;
  });
  return y;
}

/** ∂⟨y, dy⟩/∂x from dy and w. */
export function directInputGradient(
  c: ConvolutionCase,
  dy: ArrayLike<number>,
  w: ArrayLike<number>,
): number[] {
  const dx = zeros(c.inputShape);
  eachProduct(c, (iy, ix, iw) => {
    dx[ix]! += dy[iy]! * w[iw]!;
  });
  return dx;
}

/** ∂⟨y, dy⟩/∂w from x and dy. */
export function directFilterGradient(
  c: ConvolutionCase,
  x: ArrayLike<number>,
  dy: ArrayLike<number>,
): number[] {
  const dw = zeros(c.filterShape);
  eachProduct(c, (iy, ix, iw) => {
    dw[iw]! += x[ix]! * dy[iy]!;
  });
  return dw;
}
