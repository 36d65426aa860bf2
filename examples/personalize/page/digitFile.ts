import { type Digits, imageSize } from '../../mnist/digits.ts';

/** The digits as bytes: for each its label and then its grey values, from 0 to 255. */
export function digitFile({ images, labels }: Digits): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(labels.length * (1 + imageSize));
  for (const [i, label] of labels.entries()) {
    const start = i * (1 + imageSize);
    bytes[start] = label;
    bytes.set(
      images.subarray(i * imageSize, (i + 1) * imageSize).map((grey) => Math.round(255 * grey)),
      start + 1,
    );
  }
  return bytes;
}

/** Returns the digits of such a file. */
export function digitsIn(bytes: Uint8Array): Digits {
  const count = bytes.length / (1 + imageSize);
  const [images, labels] = [new Float32Array(count * imageSize), new Uint8Array(count)];
  for (let i = 0; i < count; i++) {
    const start = i * (1 + imageSize);
    labels[i] = bytes[start]!;
    images.set(
      Float32Array.from(bytes.subarray(start + 1, start + 1 + imageSize), (grey) => grey / 255),
      i * imageSize,
    );
  }
  return { images, labels };
}
