import { imageSide, imageSize } from '../../mnist/digits.ts';

/** The longer side of a digit of MNIST, and the margin around it. */
const digitSide = 20;

/**
 * A drawing as an image of MNIST: its ink is scaled to 20 pixels, and its center of mass moves into the middle.
 *
 * @param ink - `side · side` values from 0 (paper) to 1
 * @returns `28 · 28` values; all 0 for an empty drawing
 */
export function centred(ink: ArrayLike<number>, side: number): Float32Array {
  const box = inkBox(ink, side);
  const image = new Float32Array(imageSize);
  if (box === null) return image;
  const { left, top, width, height } = box;
  const scale = Math.max(width, height) / digitSide;
  let [mass, massX, massY] = [0, 0, 0];
  for (let y = top; y < top + height; y++) {
    for (let x = left; x < left + width; x++) {
      const value = ink[y * side + x]!;
      mass += value;
      massX += value * (x + 0.5);
      massY += value * (y + 0.5);
    }
  }
  for (let y = 0; y < imageSide; y++) {
    for (let x = 0; x < imageSide; x++) {
      const fromX = massX / mass + (x - imageSide / 2) * scale;
      const fromY = massY / mass + (y - imageSide / 2) * scale;
      image[y * imageSide + x] = meanIn(ink, side, fromX, fromY, scale);
    }
  }
  return image;
}

/** The mean of the ink in a square. A square that is smaller than a pixel has the value of the pixel at its middle. */
function meanIn(ink: ArrayLike<number>, side: number, left: number, top: number, size: number): number {
  const samples = Math.max(1, Math.ceil(size));
  let sum = 0;
  for (let i = 0; i < samples; i++) {
    for (let j = 0; j < samples; j++) {
      const y = Math.floor(top + ((i + 0.5) * size) / samples);
      const x = Math.floor(left + ((j + 0.5) * size) / samples);
      if (x >= 0 && x < side && y >= 0 && y < side) sum += ink[y * side + x]!;
    }
  }
  return sum / samples ** 2;
}

/** The smallest box around the ink; null if there is none. */
function inkBox(ink: ArrayLike<number>, side: number) {
  let [left, top, right, bottom] = [side, side, -1, -1];
  for (let i = 0; i < side ** 2; i++) {
    if (ink[i]! <= 0) continue;
    const [x, y] = [i % side, Math.floor(i / side)];
    [left, right] = [Math.min(left, x), Math.max(right, x)];
    [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
  }
  return right < 0 ? null : { left, top, width: right - left + 1, height: bottom - top + 1 };
}
