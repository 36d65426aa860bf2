import { sizeOf } from '../../core/shapes.ts';
import type { Arithmetic } from '../../nn/stateDict/arithmetic.ts';

/** Numbers in row-major order. */
export interface PlainTensor {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

/** The arithmetic on numbers without a backend, in double precision. */
export const plainArithmetic: Arithmetic<PlainTensor> = {
  unit(x, axes) {
    const squares = sumOfProduct(x, x, axes);
    const groupAt = placesIn(squares, x.shape);
    return mapped(x, (value, i) => (value === 0 ? 0 : value / Math.sqrt(squares.data[groupAt(i)]!)));
  },
  // Double precision can hold the squares of all float32 numbers.
  scaled: (x) => x,
  mul(x, y) {
    const placeOf = placesIn(y, x.shape);
    return mapped(x, (value, i) => value * y.data[placeOf(i)]!);
  },
  div(x, { data }) {
    const divisor = data[0] === 0 ? 1 : data[0]!;
    return mapped(x, (value) => value / divisor);
  },
  sumOfProduct,
  reshape: ({ data }, shape) => ({ shape, data }),
  largest(items, sizes) {
    const sizeAt = (i: number): number => Math.abs(sizes[i]!.data[0]!);
    return items[sizes.reduce((best, _, i) => (sizeAt(i) > sizeAt(best) ? i : best), 0)]!;
  },
};

function sumOfProduct(x: PlainTensor, y: PlainTensor, axes: readonly number[]): PlainTensor {
  const shape = x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
  const sums = { shape, data: new Float64Array(sizeOf(shape)) };
  const [sumAt, placeOf] = [placesIn(sums, x.shape), placesIn(y, x.shape)];
  for (let i = 0; i < x.data.length; i++) sums.data[sumAt(i)]! += x.data[i]! * y.data[placeOf(i)]!;
  return sums;
}

function mapped({ shape, data }: PlainTensor, value: (x: number, i: number) => number): PlainTensor {
  const values = new Float64Array(data.length);
  for (let i = 0; i < values.length; i++) values[i] = value(data[i]!, i);
  return { shape, data: values };
}

const stridesOf = (shape: readonly number[]): number[] =>
  shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));

/** Returns the map from an index in a shape to the index in a tensor that is broadcast to it. */
function placesIn({ shape: own }: PlainTensor, shape: readonly number[]): (i: number) => number {
  if (own.length === shape.length && own.every((size, axis) => size === shape[axis])) return (i) => i;
  if (own.every((size) => size === 1)) return () => 0;
  const [strides, ownStrides] = [stridesOf(shape), stridesOf(own)];
  const long = shape.flatMap((size, axis) =>
    own[axis] === 1 ? [] : [[strides[axis]!, size, ownStrides[axis]!]],
  );
  return (i) => {
    let place = 0;
    for (const [stride, size, ownStride] of long) place += (Math.floor(i / stride!) % size!) * ownStride!;
    return place;
  };
}
