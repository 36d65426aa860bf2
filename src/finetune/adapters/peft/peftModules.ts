import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { refusal } from '../../../core/errors.ts';
import { formatShape } from '../../../core/shapes.ts';
import { candidatesOf } from '../../../model/select/candidate.ts';
import { TransposedConvolution } from '../../../nn/convolution/transposedConvolution.ts';
import { Embedding } from '../../../nn/embedding.ts';
import { Linear } from '../../../nn/linear/linear.ts';
import { isModule } from '../../../nn/module/fields.ts';
import { siteOf } from '../../../parametrize/host/site.ts';
import type { Layout } from '../../../stateDict/layout.ts';
import { stateKindOf } from '../../../stateDict/stateView.ts';

/** A tensor of a model by the names of torch. */
export interface PeftTensor {
  /** The path of torch's module. */
  readonly path: string;
  /** The name in torch's module. */
  readonly name: string;
  readonly host: object;
  /** The name in the host. */
  readonly tensor: string;
  /** The layout of the host; null for that of torch. */
  readonly layout: Layout | null;
  /** The shape in torch. */
  readonly shape: readonly number[];
  /** True for the table of an embedding. */
  readonly isEmbedding: boolean;
  /** True for a weight that torch has as `[out, in]` whatever `fan_in_fan_out` says. */
  readonly isLinear: boolean;
  /** The reason why PEFT has no adapter of the weight, or of another form; null if it has the same. */
  readonly refused: string | null;
}

/**
 * Returns the tensors of a model by the names of torch.
 *
 * @throws {@link ParametrizeError} `UNSUPPORTED_HOST`, `LIMIT`
 */
export function peftTensors(caller: string, model: object): PeftTensor[] {
  const kind = isModule(model) ? undefined : stateKindOf(model);
  if (kind === undefined) {
    return candidatesOf(caller, model).map(({ host, path, tensor, shape }) => ({
      path,
      name: tensor,
      host,
      tensor,
      layout: null,
      shape,
      isEmbedding: host instanceof Embedding,
      isLinear: host instanceof Linear,
      refused: refusedModule(host, tensor, shape),
    }));
  }
  return kind.stateOf(caller, model).parts.flatMap(({ path, tensors, isTransposed }) =>
    tensors.flatMap(({ torchNames, host, name, layout, shape }): PeftTensor[] => {
      if (layout === null || torchNames.length !== 1) return [];
      const isEmbedding =
        siteOf(host, name).featureAxes(shape.length)[0] !== siteOf(host, name).outputAxes(shape.length)?.[0];
      return [
        {
          path,
          name: torchNames[0]!,
          host,
          tensor: name,
          layout,
          shape: layout.torchShape,
          isEmbedding,
          isLinear: true,
          refused: refusedLayer(name, torchNames[0]!, isTransposed === true),
        },
      ];
    }),
  );
}

function refusedModule(host: object, tensor: string, shape: readonly number[]): string | null {
  if (host instanceof TransposedConvolution) return 'PEFT has no adapters of transposed convolutions';
  if (tensor !== 'weight') return `PEFT has adapters of 'weight' only, not of '${tensor}'`;
  const { groups = 1 } = host as { groups?: number };
  if (shape.length > 2 && groups !== 1) {
    return 'an adapter of PEFT for a convolution with groups is no change of its weight';
  }
  return null;
}

function refusedLayer(name: string, torchName: string, isTransposed: boolean): string | null {
  if (isTransposed) return 'PEFT has no adapters of transposed convolutions';
  if (torchName !== 'weight') return `PEFT has adapters of 'weight' only, not of '${torchName}'`;
  return name === 'depthwiseKernel'
    ? 'an adapter of PEFT for a convolution with groups is no change of its weight'
    : null;
}

/** The parts of an adapter of a tensor, in torch's layout or in that of the host. */
export interface ModuleParts {
  readonly lora_A?: Tensor | undefined;
  readonly lora_B?: Tensor | undefined;
  readonly lora_magnitude_vector?: Tensor | undefined;
  /** The bias of B, a part of the bias of the module. */
  readonly lora_bias?: Tensor | undefined;
}

/** The parts of an adapter of a module: those of its weight, and of its bias if there is one. */
export interface Factors extends ModuleParts {
  readonly lora_A: Tensor;
  readonly lora_B: Tensor;
}

/** Converts the parts of an adapter of a host to those of PEFT. */
export function toPeft(tensor: PeftTensor, parts: ModuleParts): ModuleParts {
  const { layout, isEmbedding, shape } = tensor;
  if (layout === null) return parts;
  const { lora_A: A, lora_B: B, lora_magnitude_vector: m, lora_bias } = parts;
  if (lora_bias !== undefined) return { lora_bias: inTorch(tensor, lora_bias) };
  if (isEmbedding) return { lora_A: tf.transpose(A!), lora_B: tf.transpose(B!), lora_magnitude_vector: m };
  const rank = B!.shape[0]!;
  const columns = tf.split(A!, rank, A!.rank - 1).map((column) => layout.toTorch(column));
  const ones = layout.shape.slice(0, -1).map(() => 1);
  const rows = tf.split(B!, rank, 0).map((row) => layout.toTorch(tf.reshape(row, [...ones, row.size])));
  return {
    lora_A: tf.concat(columns, 0),
    lora_B: tf.concat(rows, 1),
    lora_magnitude_vector: m && magnitudeIn(layout.toTorch(tf.reshape(m, [...ones, m.size])), shape),
  };
}

/** Converts the parts of an adapter of PEFT to those of a host. */
export function fromPeft({ layout, isEmbedding }: PeftTensor, parts: ModuleParts): ModuleParts {
  if (layout === null) return parts;
  const { lora_A: A, lora_B: B, lora_magnitude_vector: m, lora_bias } = parts;
  if (lora_bias !== undefined) return { lora_bias: layout.fromTorch(lora_bias) };
  if (isEmbedding) return { lora_A: tf.transpose(A!), lora_B: tf.transpose(B!), lora_magnitude_vector: m };
  const rank = A!.shape[0]!;
  const ones = A!.shape.slice(1).map(() => 1);
  const columns = tf.split(A!, rank, 0).map((row) => layout.fromTorch(row));
  const rows = tf
    .split(B!, rank, 1)
    .map((column) => tf.reshape(layout.fromTorch(column), [1, column.shape[0]!]));
  return {
    lora_A: tf.concat(columns, A!.rank - 1),
    lora_B: tf.concat(rows, 0),
    lora_magnitude_vector: m && tf.reshape(layout.fromTorch(tf.reshape(m, [m.size, ...ones])), [m.size]),
  };
}

/** Returns lengths in the shape that PEFT gives them: `[out]`, or `[1, out, 1…]` for a convolution. */
const magnitudeIn = (lengths: Tensor, { length: rank }: readonly number[]): Tensor =>
  rank === 2
    ? tf.reshape(lengths, [lengths.size])
    : tf.reshape(lengths, [1, lengths.size, ...Array.from({ length: rank - 2 }, () => 1)]);

/** Returns the value of a tensor in torch's layout, in the innermost tidy. */
export function plainValue(caller: string, one: PeftTensor): Tensor {
  return inTorch(one, siteOf(one.host, one.tensor).inspect(caller));
}

/** Returns a value of a tensor in torch's layout. */
export const inTorch = ({ layout }: PeftTensor, value: Tensor): Tensor =>
  layout === null ? value : layout.toTorch(value);

/**
 * Refuses shapes of the parts of an adapter that do not fit the weight.
 *
 * @throws {@link ParametrizeError} `SHAPE`
 */
export function checkFactors(
  caller: string,
  { path, shape, isEmbedding }: PeftTensor,
  { lora_A: A, lora_B: B, lora_magnitude_vector: m }: Factors,
  isTransposed: boolean,
): void {
  const [first, second, ...kernel] = shape as [number, number, ...number[]];
  const [features, inputs] = isEmbedding || isTransposed ? [second, first] : [first, second];
  const rank = A.shape[0]!;
  const wanted = [
    [A, [rank, inputs, ...kernel]],
    [B, [features, rank, ...kernel.map(() => 1)]],
    ...(m === undefined
      ? []
      : [[m, m.rank === 1 ? [features] : [1, features, ...kernel.map(() => 1)]] as const]),
  ] as const;
  for (const [got, one] of wanted) {
    if (tf.util.arraysEqual(got.shape, one as number[])) continue;
    throw refusal(
      'SHAPE',
      caller,
      `a part of the adapter of '${path}' has shape ${formatShape(got.shape)}, the weight of shape ${formatShape(shape)} needs ${formatShape(one)}`,
      'Load the adapter into the model that it was trained for.',
    );
  }
}
