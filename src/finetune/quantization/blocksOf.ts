const commonDivisor = (a: number, b: number): number => (b === 0 ? a : commonDivisor(b, a % b));

/** The scales of a tensor that is cut into equal blocks. */
export interface Blocks {
  /** The number of blocks along each axis. */
  readonly scalesAlong: readonly number[];
  /** The index of the scale of each block, in row-major order. */
  readonly order: readonly number[];
}

/** Cuts a tensor into the largest equal blocks with one scale each, by the index of the scale of each element. */
export function blocksOf(shape: readonly number[], indices: Int32Array): Blocks {
  const blocks = shape.map((size, axis) => {
    const stride = shape.slice(axis + 1).reduce((product, length) => product * length, 1);
    let block = size;
    for (let i = 0; block > 1 && i + stride < indices.length; i++) {
      const place = (Math.floor(i / stride) % size) + 1;
      if (place < size && indices[i] !== indices[i + stride]) block = commonDivisor(block, place);
    }
    return block;
  });
  const scalesAlong = shape.map((size, axis) => (size === 0 ? 0 : size / blocks[axis]!));
  const starts = shape.reduce<number[]>(
    (starts, size, axis) =>
      starts.flatMap((start) =>
        Array.from({ length: scalesAlong[axis]! }, (_, i) => start * size + i * blocks[axis]!),
      ),
    [0],
  );
  return { scalesAlong, order: starts.map((start) => indices[start]!) };
}
