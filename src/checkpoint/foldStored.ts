import { CheckpointError, quoted } from './checkpointError.ts';
import { bfloat16ToFloat32, float16ToFloat32 } from './half.ts';
import { type StoredTensor, sizeOf } from './storedTensor.ts';

// In plain numbers, of twice the precision of tensors, because a command line needs no backend.

/**
 * The weight that parts of a file stand for, in float32 (F64 of F64).
 *
 * @param parts - g and v, or W, u and v
 * @throws {@link CheckpointError} `DTYPE` for parts that are no floating-point numbers
 */
export function foldStored(
  kind: 'weightNorm' | 'spectralNorm',
  parts: readonly StoredTensor[],
  name: string,
): StoredTensor {
  const numbers = parts.map((part) => floats(part, name));
  const { shape, dtype } = kind === 'weightNorm' ? parts[1]! : parts[0]!;
  const values =
    kind === 'weightNorm'
      ? weightOf(numbers[0]!, parts[0]!.shape, numbers[1]!, shape)
      : quotientOf(numbers[0]!, shape, numbers[1]!, numbers[2]!);
  return dtype === 'F64'
    ? { dtype, shape, data: values }
    : { dtype: 'F32', shape, data: new Float32Array(values) };
}

function floats({ dtype, data }: StoredTensor, name: string): ArrayLike<number> {
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
  const strides = stridesOf(gShape).map((stride, axis) => (gShape[axis] === 1 ? 0 : stride));
  const groupAt = indexer(shape, gShape.length === 0 ? shape.map(() => 0) : strides);
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
  const sigmas = shape.flatMap((length, axis) =>
    length === u.length ? [sigmaOf(W, shape, axis, u, v)] : [],
  );
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
  const row = indexer(
    shape,
    shape.map((_, other) => (other === axis ? 1 : 0)),
  );
  const others = stridesOf(shape.map((length, other) => (other === axis ? 1 : length)));
  const column = indexer(
    shape,
    others.map((stride, other) => (other === axis ? 0 : stride)),
  );
  let sigma = 0;
  for (let i = 0; i < W.length; i++) sigma += u[row(i)]! * W[i]! * v[column(i)]!;
  return sigma;
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
