import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { refusal } from '../../core/errors.ts';
import { formatShape } from '../../core/shapes.ts';
import { typeName } from '../../core/text.ts';
import type { AttentionSizes } from './attentionMasks.ts';

/** The sizes of the inputs of attention. */
export interface AttentionLayout {
  readonly embedDim: number;
  readonly kdim: number;
  readonly vdim: number;
  readonly batchFirst: boolean;
}

/**
 * The sizes of the inputs of attention.
 *
 * @throws {@link ParametrizeError} `SHAPE` if the inputs do not fit each other
 */
export function checkAttentionInputs(
  layer: AttentionLayout,
  query: Tensor,
  key: Tensor,
  value: Tensor,
): Omit<AttentionSizes, 'heads'> {
  const caller = typeName(layer);
  const isBatch = query instanceof tf.Tensor && query.rank === 3;
  const [time, rows] = layer.batchFirst && isBatch ? [1, 0] : [0, 1];
  const layout = !isBatch ? '[time, size]' : layer.batchFirst ? '[batch, time, size]' : '[time, batch, size]';
  const inputs = {
    query: [query, layer.embedDim],
    key: [key, layer.kdim],
    value: [value, layer.vdim],
  } as const;
  for (const [name, [input, size]] of Object.entries(inputs)) {
    const fits =
      input instanceof tf.Tensor && (input.rank === 2 || input.rank === 3) && input.shape.at(-1) === size;
    if (fits && input.rank === query.rank) continue;
    const found =
      input instanceof tf.Tensor ? `has shape ${formatShape(input.shape)}` : `is ${typeName(input)}`;
    throw refusal(
      'SHAPE',
      caller,
      `the ${name} ${found}, its last axis must have ${size} and the query has shape ${query instanceof tf.Tensor ? formatShape(query.shape) : typeName(query)}`,
      `Pass query, key and value of shape ${layout}, or all three without the batch.`,
    );
  }
  const [targets, sources] = [query.shape[time]!, key.shape[time]!];
  const batch = isBatch ? query.shape[rows]! : 1;
  const fits = [key, value].every(
    ({ shape }) => shape[time] === sources && (!isBatch || shape[rows] === batch),
  );
  if (fits && batch * targets * sources > 0) return { batch, targets, sources, isBatch };
  throw refusal(
    'SHAPE',
    caller,
    `query, key and value have shapes ${[query, key, value].map(({ shape }) => formatShape(shape)).join(', ')}, they must have one batch size, and key and value one length, none of them 0`,
    `Their layout is ${layout}.`,
  );
}
