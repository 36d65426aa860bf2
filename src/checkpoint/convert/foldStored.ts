import { sizeOf } from '../../core/shapes.ts';
import { keptAxes, leftAxes, type Normalization, rowAxes } from '../../nn/stateDict/normalization.ts';
import { CheckpointError, quoted } from '../checkpointError.ts';
import type { DType } from '../tensor/dtype.ts';
import { bfloat16ToFloat32, float16ToFloat32, toBfloat16, toFloat16 } from '../tensor/half.ts';
import type { StoredTensor } from '../tensor/storedTensor.ts';

// The formulas of WeightNorm and SpectralNorm once more, in plain numbers: files of torch are folded without a backend, F64 in
// its own precision, and by σ alone where no module tells which axis is meant. A test holds both to the same values.

/**
 * The weight that parts of a file stand for, in the type of its direction or original.
 *
 * @param parts - g and v, or W, u and v
 * @throws {@link CheckpointError} `DTYPE` for parts that are no floating-point numbers
 */
export function foldStored(kind: Normalization, parts: readonly StoredTensor[], name: string): StoredTensor {
  const numbers = parts.map((part) => floats(part, name));
  const { shape, dtype } = kind === 'weightNorm' ? parts[1]! : parts[0]!;
  const values =
    kind === 'weightNorm'
      ? weightOf(numbers[0]!, parts[0]!.shape, numbers[1]!, shape)
      : quotientOf(numbers[0]!, shape, numbers[1]!, numbers[2]!);
  return storedAs(foldedType(dtype), shape, values);
}

/** The type of a computed tensor: that of what it is computed from. */
export const foldedType = (dtype: string): DType =>
  dtype === 'F64' || dtype === 'F16' || dtype === 'BF16' ? dtype : 'F32';

/** Numbers as a file has them in a type. */
export function storedAs(dtype: DType, shape: readonly number[], values: ArrayLike<number>): StoredTensor {
  switch (dtype) {
    case 'F64':
      return { dtype, shape, data: Float64Array.from(values) };
    case 'F16':
      return { dtype, shape, data: toFloat16(values) };
    case 'BF16':
      return { dtype, shape, data: toBfloat16(values) };
    default:
      return { dtype: 'F32', shape, data: Float32Array.from(values) };
  }
}

/** The numbers of a part. */
export function floats({ dtype, data }: StoredTensor, name: string): ArrayLike<number> {
  if (dtype === 'F16') return float16ToFloat32(data as Uint16Array);
  if (dtype === 'BF16') return bfloat16ToFloat32(data as Uint16Array);
  if (dtype === 'F32' || dtype === 'F64') return data as Float32Array | Float64Array;
  throw new CheckpointError(
    'DTYPE',
    `the weight ${quoted(name)} cannot be folded: a part has the type ${dtype}. Convert it to a floating-point type.`,
  );
}

/** `g · v / ‖v‖`, zero where v is zero; the norm over the axes along which g has one element. */
function weightOf(
  g: ArrayLike<number>,
  gShape: readonly number[],
  v: ArrayLike<number>,
  shape: readonly number[],
): Float64Array {
  const strides = stridesOf(gShape);
  const kept = keptAxes(gShape, shape)!;
  const groupAt = indexer(
    shape,
    shape.map((_, axis) => (kept.includes(axis) ? strides[axis]! : 0)),
  );
  const squares = new Float64Array(g.length);
  const values = new Float64Array(v.length);
  for (let i = 0; i < v.length; i++) squares[groupAt(i)]! += v[i]! ** 2;
  for (let i = 0; i < v.length; i++) {
    const group = groupAt(i);
    values[i] = v[i] === 0 ? 0 : (g[group]! * v[i]!) / Math.sqrt(squares[group]!);
  }
  return values;
}

/**
 * `W / σ`, `σ = uᵀWv` with the rows of the matrix along the axis that the vectors fit. Of several that fit by their lengths, it
 * is the one with the largest σ: along another one the vectors are of no matrix that they were made for.
 */
function quotientOf(
  W: ArrayLike<number>,
  shape: readonly number[],
  u: ArrayLike<number>,
  v: ArrayLike<number>,
): Float64Array {
  const axes = rowAxes(shape, [u.length], [v.length]);
  const sigmas = axes.map((axis) => sigmaOf(W, shape, axis, u, v));
  const sigma = sigmas.reduce((best, other) => (Math.abs(other) > Math.abs(best) ? other : best));
  return Float64Array.from(W, (value) => value / sigma);
}

function sigmaOf(
  W: ArrayLike<number>,
  shape: readonly number[],
  axis: number,
  u: ArrayLike<number>,
  v: ArrayLike<number>,
): number {
  const product = productOf(W, shape, axis, u);
  return product.reduce((sum, value, column) => sum + value * v[column]!, 0);
}

/** `uᵀM`, M the matrix whose rows are the slices of W along an axis. */
function productOf(
  W: ArrayLike<number>,
  shape: readonly number[],
  axis: number,
  u: ArrayLike<number>,
): Float64Array {
  const row = indexer(
    shape,
    shape.map((_, other) => (other === axis ? 1 : 0)),
  );
  const others = stridesOf(shape.map((length, other) => (other === axis ? 1 : length)));
  const column = indexer(
    shape,
    others.map((stride, other) => (other === axis ? 0 : stride)),
  );
  const product = new Float64Array(W.length / u.length);
  for (let i = 0; i < W.length; i++) product[column(i)]! += u[row(i)]! * W[i]!;
  return product;
}

/**
 * The right vector v that torch before 1.0 did not save, but the value `W / σ` instead of it: along `uᵀM`, so that
 * `uᵀMv = σ`.
 *
 * @param parts - W, u and the value
 * @throws {@link CheckpointError} `DTYPE` for parts that are no floating-point numbers
 */
export function rightVectorStored(parts: readonly StoredTensor[], name: string): StoredTensor {
  const [W, u, value] = parts.map((part) => floats(part, name)) as [
    ArrayLike<number>,
    ArrayLike<number>,
    ArrayLike<number>,
  ];
  const { shape, dtype } = parts[0]!;
  let [squares, products] = [0, 0];
  for (let i = 0; i < W.length; i++) {
    squares += W[i]! ** 2;
    products += W[i]! * value[i]!;
  }
  const lengthOf = (vector: Float64Array): number => vector.reduce((sum, x) => sum + x * x, 0);
  const candidates = leftAxes(shape, parts[1]!.shape).map((axis) => productOf(W, shape, axis, u));
  const along = candidates.reduce((best, other) => (lengthOf(other) > lengthOf(best) ? other : best));
  const scale = squares / products / lengthOf(along);
  const values = along.map((x) => x * scale);
  return storedAs(foldedType(dtype), [values.length], values);
}

const stridesOf = (shape: readonly number[]): number[] =>
  shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));

/** Maps the place of an element in row-major order to its place by other strides. */
function indexer(shape: readonly number[], strides: readonly number[]): (i: number) => number {
  const own = stridesOf(shape);
  return (i) => {
    let place = 0;
    for (let axis = 0; axis < shape.length; axis++) {
      if (strides[axis] !== 0) place += (Math.floor(i / own[axis]!) % shape[axis]!) * strides[axis]!;
    }
    return place;
  };
}
