import { axisIn } from '../../core/axes.ts';
import { ParametrizeError } from '../../core/errors.ts';
import { typeName } from '../../core/text.ts';
import type { Layer } from '../../engine/layer.ts';
import { childrenOf, ownWeights } from './layer.ts';

/** Facts about the weights of one class of layers. */
interface LayerType {
  /** The weight that a catalog function uses without a name. */
  readonly main: string;
  /** The other weights, which cannot be read from a layer before it is built. */
  readonly others: readonly string[];
  /** The axes of `main` and the other kernels that number the outputs, from the end. */
  readonly outputAxes: readonly number[];
  /** The axes that number the features, if they are others. */
  readonly featureAxes?: readonly number[];
}

const convolution: LayerType = { main: 'kernel', others: ['bias'], outputAxes: [-1] };
const transposed: LayerType = { ...convolution, outputAxes: [-2] };
const cell: LayerType = { main: 'kernel', others: ['recurrentKernel', 'bias'], outputAxes: [-1] };
const normalization: LayerType = { main: 'gamma', others: ['beta'], outputAxes: [-1] };

const layerTypes: Readonly<Record<string, LayerType>> = {
  Dense: convolution,
  Conv1D: convolution,
  Conv2D: convolution,
  Conv3D: convolution,
  // [...size, out, in]
  Conv2DTranspose: transposed,
  Conv3DTranspose: transposed,
  // [height, width, in, multiplier]: each pair of the last two axes is one output.
  DepthwiseConv2D: { main: 'depthwiseKernel', others: ['bias'], outputAxes: [-2, -1] },
  SeparableConv2D: { main: 'pointwiseKernel', others: ['depthwiseKernel', 'bias'], outputAxes: [-1] },
  // One row for each token.
  Embedding: { main: 'embeddings', others: [], outputAxes: [0], featureAxes: [-1] },
  SimpleRNNCell: cell,
  GRUCell: cell,
  LSTMCell: cell,
  ConvLSTM2DCell: cell,
  BatchNormalization: { ...normalization, others: ['beta', 'movingMean', 'movingVariance'] },
  LayerNormalization: normalization,
  PReLU: { main: 'alpha', others: [], outputAxes: [-1] },
};

/** The type of custom layers. */
const customType: LayerType = { main: 'kernel', others: [], outputAxes: [-1] };

const depthwiseAxes = [-2, -1] as const;

/** Returns the weights that a layer of this class will have, or null for a custom class. */
export function knownWeights(layer: Layer): readonly string[] | null {
  const type = layerTypes[layer.getClassName()];
  return type === undefined ? null : [type.main, ...type.others];
}

/**
 * Returns the path of the weight that a catalog function uses without a name. It leads through wrappers to the wrapped
 * layer.
 *
 * @throws {@link ParametrizeError} `UNKNOWN_TENSOR` if there are several candidates, or none
 */
export function mainWeight(layer: Layer): string {
  const type = layerTypes[layer.getClassName()];
  if (type !== undefined) return type.main;
  const own = [...ownWeights(layer).keys()];
  if (own.includes(customType.main)) return customType.main;
  if (own.length > 0) return own[0]!;
  const children = childrenOf(layer);
  if (children.length === 1) return `${children[0]![0]}.${mainWeight(children[0]![1])}`;
  if (children.length === 0 && !layer.built) return customType.main;
  const known = children.map(([name]) => name).join(', ') || 'none';
  throw new ParametrizeError('UNKNOWN_TENSOR', {
    fact: `${typeName(layer)} '${layer.name}' has no main weight: the layers below it are ${known}`,
    remedy: "Pass one of them, or the path of a weight such as 'cell.kernel'.",
  });
}

/** Returns the axes of a weight that number the outputs of its layer. Every element of a vector is an output. */
export function outputAxes(layer: Layer, name: string, rank: number): readonly number[] {
  const type = layerTypes[layer.getClassName()] ?? customType;
  const axes = name === 'depthwiseKernel' ? depthwiseAxes : type.outputAxes;
  return rank < 2 ? Array.from({ length: rank }, (_, axis) => axis) : axes.map((axis) => axisIn(axis, rank)!);
}

/** Returns the axes of a weight that number the features of its layer: its outputs, or the vectors of an embedding. */
export function featureAxes(layer: Layer, name: string, rank: number): readonly number[] {
  const axes = layerTypes[layer.getClassName()]?.featureAxes;
  return axes === undefined || rank < 2
    ? outputAxes(layer, name, rank)
    : axes.map((axis) => axisIn(axis, rank)!);
}

/** Returns the object below a layer that has the weight of a path, and the name of the weight there. */
export function locate(layer: Layer, path: string): [owner: object, name: string] {
  if (ownWeights(layer).has(path)) return [layer, path];
  for (const [name, child] of childrenOf(layer)) {
    if (path.startsWith(`${name}.`)) return locate(child, path.slice(name.length + 1));
  }
  return [layer, path];
}
