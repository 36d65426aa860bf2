/** Images of 28 by 28 grey values between 0 and 1, one after another, with the digit that each shows. */
export interface Digits {
  readonly images: Float32Array;
  readonly labels: Uint8Array;
}

export const imageSide = 28;
export const imageSize = imageSide ** 2;
export const classCount = 10;

/** The digits of some classes, in their order. */
export function digitsOf({ images, labels }: Digits, classes: readonly number[]): Digits {
  const chosen = [...labels.keys()].filter((i) => classes.includes(labels[i]!));
  const result = {
    images: new Float32Array(chosen.length * imageSize),
    labels: Uint8Array.from(chosen, (i) => labels[i]!),
  };
  for (const [to, from] of chosen.entries()) {
    result.images.set(images.subarray(from * imageSize, (from + 1) * imageSize), to * imageSize);
  }
  return result;
}
