import { formatShape } from '../../core/shapes.ts';
import { CheckpointError, quoted } from '../checkpointError.ts';
import type { StoredTensor } from '../tensor/storedTensor.ts';

/**
 * Returns the transpose of a stored matrix, in its own type.
 *
 * @throws {@link CheckpointError} `SHAPE` for a tensor that is not a matrix
 */
export function transposed({ dtype, shape, data }: StoredTensor, name: string): StoredTensor {
  const [rows, columns] = matrixShape(shape, name);
  const turned = data.slice();
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      turned[column * rows + row] = data[row * columns + column]!;
    }
  }
  return { dtype, shape: [columns, rows], data: turned };
}

/** Returns the shape of a matrix, and refuses the transpose of other tensors. */
export function matrixShape(shape: readonly number[], name: string): readonly [number, number] {
  if (shape.length === 2) return shape as readonly [number, number];
  throw new CheckpointError(
    'SHAPE',
    `${quoted(name)} has shape ${formatShape(shape)}, and only a matrix can be transposed`,
    'Leave transpose out of the recipe.',
  );
}
