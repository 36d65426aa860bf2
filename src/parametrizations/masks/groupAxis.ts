import { refusal } from '../../core/errors.ts';
import { formatShape } from '../../core/shapes.ts';
import type { TargetTensor } from '../../parametrize/definition.ts';

/**
 * Returns the axis that numbers the inputs of a tensor: the next one of a module or plain object, the last but the
 * outputs of a layer of tf.layers.
 *
 * @throws {@link ParametrizeError} `SHAPE` for a tensor of one axis or none
 */
export function groupAxis(caller: string, { value, outputAxes, outputAxis }: TargetTensor): number {
  const { shape, rank } = value;
  if (rank < 2) {
    throw refusal(
      'SHAPE',
      caller,
      `the tensor has shape ${formatShape(shape)}, and no axis of inputs`,
      'Pass dim: the axis of the neighbors.',
    );
  }
  if (outputAxes === null) return outputAxis === 0 ? 1 : 0;
  const inputs = shape.map((_, axis) => axis).filter((axis) => !outputAxes.includes(axis));
  return inputs.at(-1) ?? rank - 2;
}
