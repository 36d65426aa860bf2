import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { refusal } from '../../core/errors.ts';
import { formatShape } from '../../core/shapes.ts';
import { typeName } from '../../core/text.ts';

/** The sizes and the layout of the input and first states of a network over sequences. */
export interface SequenceLayout {
  /** The size of the last axis of the input. */
  readonly inputSize: number;
  /** The size of h. */
  readonly hiddenSize: number;
  /** True if the batch is the first axis. */
  readonly batchFirst: boolean;
  /** True if each layer has two states of each kind. */
  readonly bidirectional: boolean;
  /** The number of layers. */
  readonly numLayers: number;
}

/**
 * Refuses an input that is not a sequence of the right size, with or without a batch, and first states that do not fit
 * it.
 *
 * @param names - the names of the states
 * @param states - the states, if any were given
 * @throws {@link ParametrizeError} `SHAPE`
 */
export function checkSequenceInput(
  network: SequenceLayout,
  x: Tensor,
  names: readonly string[],
  states: readonly Tensor[] | undefined,
): void {
  const { inputSize, hiddenSize, batchFirst, bidirectional, numLayers } = network;
  const fail = (fact: string, remedy: string) => refusal('SHAPE', typeName(network), fact, remedy);
  const layout = batchFirst ? '[batch, time, inputSize]' : '[time, batch, inputSize]';
  if ((x.rank !== 2 && x.rank !== 3) || x.shape.at(-1) !== inputSize) {
    throw fail(
      `the input has shape ${formatShape(x.shape)}, inputSize is ${inputSize}`,
      `Pass an input of shape ${layout}, or [time, inputSize] without a batch.`,
    );
  }
  const batched = x.rank === 3;
  if (x.shape[batched && batchFirst ? 1 : 0] === 0) {
    const fact = `the input has shape ${formatShape(x.shape)}, no steps`;
    throw fail(fact, `Pass at least one step, ${layout}.`);
  }
  if (states === undefined) return;
  if (!Array.isArray(states) || states.length !== names.length) {
    const given = Array.isArray(states) ? `an array of ${states.length}` : typeName(states);
    throw fail(
      `the state is ${given}, there are ${names.length}: ${names.join(', ')}`,
      `Pass [${names.join(', ')}].`,
    );
  }
  const batch = batched ? [x.shape[batchFirst ? 0 : 1]!] : [];
  const wanted = [numLayers * (bidirectional ? 2 : 1), ...batch, hiddenSize];
  for (const [i, state] of (states as readonly Tensor[]).entries()) {
    const isTensor = state instanceof tf.Tensor;
    if (isTensor && tf.util.arraysEqual(state.shape, wanted)) continue;
    const fact = isTensor ? `has shape ${formatShape(state.shape)}` : `is ${typeName(state)}`;
    throw fail(
      `the state ${names[i]} ${fact}, the input needs ${formatShape(wanted)}`,
      `Pass one of shape [${bidirectional ? '2·' : ''}numLayers, batch, hiddenSize], without the batch where the input has none.`,
    );
  }
}
