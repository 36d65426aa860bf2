import { axisIn } from '../../core/axes.ts';
import type { ReadTensor } from '../../parametrize/setDefinition.ts';
import type { MatrixOptions } from '../matrix/matrixLayout.ts';
import { matricesOf } from './slices.ts';

/** Returns the matrices of a read tensor by the options of its layout; null if it has none with elements. */
export function matricesBy(
  value: ReadTensor,
  { matrix, dim }: Required<MatrixOptions> = { matrix: 'last', dim: 0 },
): ReadTensor[] | null {
  const { data, shape } = value;
  if (shape.length < 2 || data.length === 0) return null;
  if (matrix === 'last' || shape.length === 2) return matricesOf(value);
  const axis = axisIn(dim, shape.length);
  if (axis === undefined) return null;
  const rows = shape[axis]!;
  const inner = shape.slice(axis + 1).reduce((product, size) => product * size, 1);
  const columns = data.length / rows;
  const ordered = new Float64Array(data.length);
  for (const [index, x] of data.entries()) {
    const row = Math.floor(index / inner) % rows;
    const column = Math.floor(index / (inner * rows)) * inner + (index % inner);
    ordered[row * columns + column] = x;
  }
  return [{ data: ordered, shape: [rows, columns] }];
}
