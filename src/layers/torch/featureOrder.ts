import type { Layer } from '../../engine/layer.ts';
import { callsOf, callsOnOutputs, type GraphLayer, type SymbolicTensor } from '../../engine/layerGraph.ts';
import { type Graph, isContainer } from './graph.ts';

/**
 * The order of features. For flattened maps, the lengths of the axes of the maps, channels last. torch flattens the
 * channels first, so its features have another order. Null if the order is the same.
 */
export type FeatureOrder = readonly number[] | null;

/** The orders of the features of all layers of a model. */
export interface FeatureOrders {
  /** The order of the features of a layer's input. */
  before(layer: Layer): FeatureOrder;
  /** The order of the features of a layer's output, if later layers determine it. */
  after(layer: Layer): FeatureOrder;
  /** Notes on orders that the graph does not determine. */
  readonly notes: readonly string[];
}

/** The kind of tensor that torch has at an edge of the graph. */
type Kind =
  /** Maps, which have their channels first in torch. */
  | { readonly is: 'maps'; readonly channelsFirst: boolean }
  /** Maps for each time step. */
  | { readonly is: 'mapsInTime'; readonly channelsFirst: boolean }
  /** The same axes, with the features in some order. */
  | { readonly is: 'features'; readonly order: FeatureOrder }
  /** An unknown kind. If a layer has flattened possible maps, its name. */
  | { readonly is: 'unknown'; readonly flattenedBy?: string };

const unknown: Kind = { is: 'unknown' };
const features: Kind = { is: 'features', order: null };

const setOf = (text: string): ReadonlySet<string> => new Set(text.split(' '));

const convolutions = setOf(
  'Conv1D Conv2D Conv3D Conv2DTranspose Conv3DTranspose DepthwiseConv2D SeparableConv2D',
);

/** The layers that keep maps and sequences. torch has the steps last in a sequence that it treats as a map. */
const windows = setOf(
  'MaxPooling1D MaxPooling2D MaxPooling3D AveragePooling1D AveragePooling2D AveragePooling3D UpSampling2D ZeroPadding2D Cropping2D',
);

const globalPooling = setOf(
  'GlobalAveragePooling1D GlobalAveragePooling2D GlobalMaxPooling1D GlobalMaxPooling2D',
);

/** The layers that compute for each element or each feature separately. */
const passing = setOf(
  'Activation ReLU LeakyReLU PReLU ELU Softmax ThresholdedReLU Dropout SpatialDropout1D GaussianNoise GaussianDropout AlphaDropout Masking BatchNormalization MeanOnlyBatchNormalization LayerNormalization Add Subtract Multiply Average Maximum Minimum RepeatVector Rescaling',
);

/** The classes of recurrent layers. */
export const recurrent = setOf('SimpleRNN LSTM GRU RNN Bidirectional');

/** Finds where features are flattened maps, in the graph of a model. */
export function featureOrders(graph: Graph): FeatureOrders {
  const notes = new Set<string>();
  const asked = new Map<SymbolicTensor, FeatureOrder>();
  const kinds = new Map<SymbolicTensor, Kind>();

  function kindOf(edge: SymbolicTensor): Kind {
    const known = kinds.get(edge);
    if (known !== undefined) return known;
    kinds.set(edge, unknown); // shared layers can form cycles
    const kind = asked.has(edge) ? { is: 'features' as const, order: asked.get(edge)! } : find(edge);
    kinds.set(edge, kind);
    return kind;
  }

  function find(edge: SymbolicTensor): Kind {
    const layer = edge.sourceLayer;
    const type = layer.getClassName();
    const inputs = callsOf(layer)[edge.nodeIndex ?? 0]?.inputTensors ?? [];
    if (type === 'InputLayer') return inputKind(edge);
    if (isContainer(layer)) return same((layer.outputs ?? []).slice(edge.outputTensorIndex ?? 0).slice(0, 1));
    if (type === 'TimeDistributed') return inTime((layer as unknown as { layer: Layer }).layer, inputs);
    if (convolutions.has(type)) return mapsOf(layer);
    if (windows.has(type)) return same(inputs).is === 'features' ? unknown : mapsOf(layer);
    if (globalPooling.has(type) || recurrent.has(type) || type === 'Embedding') return features;
    if (type === 'Dense') return same(inputs).is === 'maps' ? unknown : features;
    if (passing.has(type)) return same(inputs);
    if (type === 'Concatenate') return joinedKind(layer, inputs);
    if (type === 'Flatten' || type === 'Reshape') {
      return edge.shape.length === 2 ? flattened(layer, inputs[0]!) : reshaped(edge, inputs[0]!);
    }
    return unknown;
  }

  function inputKind(edge: SymbolicTensor): Kind {
    const outside = graph.outsideOf.get(edge);
    if (outside !== undefined) return same(outside);
    if (edge.shape.length === 2) return features;
    return mapsFor(edge) ?? unknown;
  }

  /** Returns the common kind of several tensors. */
  function same(edges: readonly SymbolicTensor[]): Kind {
    const [first, ...others] = edges.map(kindOf);
    const flat = [first, ...others].find((kind) => kind?.is === 'unknown' && kind.flattenedBy !== undefined);
    if (flat !== undefined) return flat;
    return others.every((kind) => JSON.stringify(kind) === JSON.stringify(first))
      ? (first ?? unknown)
      : unknown;
  }

  function joinedKind(layer: Layer, inputs: readonly SymbolicTensor[]): Kind {
    const kind = same(inputs);
    if (kind.is === 'features')
      return kind.order === null ? kind : { is: 'unknown', flattenedBy: layer.name };
    if (kind.is !== 'unknown') return kind;
    const isFlat = inputs.every(({ shape }) => shape.length === 2);
    return isFlat ? { is: 'unknown', flattenedBy: layer.name } : unknown;
  }

  function inTime(inner: Layer, inputs: readonly SymbolicTensor[]): Kind {
    const type = inner.getClassName();
    const kind = same(inputs);
    if (convolutions.has(type)) return { ...mapsOf(inner), is: 'mapsInTime' };
    if (windows.has(type) || passing.has(type)) return kind;
    if (type === 'Dense' || globalPooling.has(type)) return kind.is === 'mapsInTime' ? unknown : features;
    if (type !== 'Flatten' || inputs[0] === undefined) return unknown;
    return kind.is === 'mapsInTime' ? flatKind(inner, inputs[0].shape.slice(2), kind) : unknown;
  }

  function flattened(layer: Layer, input: SymbolicTensor): Kind {
    const kind = kindOf(input);
    const sizes = input.shape.slice(1);
    if (sizes.length === 1) return kind;
    if (kind.is === 'maps') return flatKind(layer, sizes, kind);
    if (kind.is === 'features' && kind.order === null) return features;
    // With a single axis longer than 1, there is only one order.
    return sizes.filter((size) => size !== 1).length <= 1
      ? features
      : { is: 'unknown', flattenedBy: layer.name };
  }

  /** Returns the kind of the output of a Reshape to several axes: maps, if later layers use it as maps. */
  function reshaped(edge: SymbolicTensor, input: SymbolicTensor): Kind {
    const kind = kindOf(input);
    return mapsFor(edge) ?? (kind.is === 'features' && kind.order === null ? features : unknown);
  }

  /** Returns maps if a layer for maps takes the tensor, directly or after layers that pass it on. */
  function mapsFor(edge: SymbolicTensor, seen = new Set<SymbolicTensor>()): Kind | undefined {
    if (seen.has(edge)) return undefined;
    seen.add(edge);
    const calls = callsOnOutputs(edge.sourceLayer).filter(({ inputTensors }) => inputTensors.includes(edge));
    for (const { inputTensors, outputTensors, outboundLayer } of calls) {
      const type = outboundLayer.getClassName();
      if (convolutions.has(type) || windows.has(type)) return mapsOf(outboundLayer);
      const next = isContainer(outboundLayer)
        ? [outboundLayer.inputs?.[inputTensors.indexOf(edge)]]
        : passing.has(type)
          ? outputTensors
          : [];
      for (const other of next) {
        const found = other && mapsFor(other, seen);
        if (found !== undefined) return found;
      }
    }
    for (const other of graph.resultsOf.get(edge) ?? []) {
      const found = mapsFor(other, seen);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Sets the order of maps for the output of the dense layer before a Reshape to maps. */
  function ask(layer: GraphLayer): void {
    for (const { inputTensors, outputTensors } of callsOf(layer)) {
      const [input, output] = [inputTensors[0]!, outputTensors[0]!];
      const maps = mapsFor(output);
      if (input.shape.length !== 2 || output.shape.length < 3 || maps?.is !== 'maps') continue;
      const flat = flatKind(layer, output.shape.slice(1), maps);
      if (flat.is !== 'features' || flat.order === null) continue;
      for (const root of rootsOf(input)) {
        const type = root.sourceLayer.getClassName();
        const before = asked.get(root);
        const agrees = before === undefined || String(before) === String(flat.order);
        if (type === 'Dense' && agrees) asked.set(root, flat.order);
        else if (type !== 'InputLayer' && type !== 'Flatten') notes.add(noteOf(layer, 'makes maps of'));
      }
    }
  }

  /** Returns the sources of a tensor, before layers that only pass it on. */
  function rootsOf(edge: SymbolicTensor): SymbolicTensor[] {
    const { sourceLayer, nodeIndex = 0, outputTensorIndex = 0 } = edge;
    if (isContainer(sourceLayer))
      return (sourceLayer.outputs ?? []).slice(outputTensorIndex).slice(0, 1).flatMap(rootsOf);
    if (sourceLayer.getClassName() === 'InputLayer')
      return (graph.outsideOf.get(edge) ?? []).flatMap(rootsOf);
    if (!passing.has(sourceLayer.getClassName())) return [edge];
    return (callsOf(sourceLayer)[nodeIndex]?.inputTensors ?? []).flatMap(rootsOf);
  }

  for (const layer of graph.layers) if (layer.getClassName() === 'Reshape') ask(layer);

  return {
    before(layer) {
      const kind = same(callsOf(layer).flatMap(({ inputTensors }) => inputTensors.slice(0, 1)));
      if (kind.is === 'features') return kind.order;
      if (kind.is === 'unknown' && kind.flattenedBy !== undefined) {
        notes.add(
          `'${kind.flattenedBy}' flattens what may or may not be channels first in torch: the weights of '${layer.name}' are as in the file`,
        );
      }
      return null;
    },
    after(layer) {
      const [edge] = callsOf(layer).flatMap(({ outputTensors }) =>
        outputTensors.filter((output) => asked.has(output)),
      );
      return edge === undefined ? null : asked.get(edge)!;
    },
    get notes() {
      return [...notes];
    },
  };
}

const noteOf = (layer: Layer, what: string): string =>
  `'${layer.name}' ${what} features that no dense layer computes: whether torch has them in the same order is not known`;

const mapsOf = (layer: Layer): { is: 'maps'; channelsFirst: boolean } => ({
  is: 'maps',
  channelsFirst: (layer as { dataFormat?: unknown }).dataFormat === 'channelsFirst',
});

/** Returns the order of flattened maps. */
function flatKind(
  layer: Layer,
  shape: readonly (number | null)[],
  { channelsFirst }: { readonly channelsFirst: boolean },
): Kind {
  const { dataFormat } = layer as { dataFormat?: unknown };
  const sizes = shape.map((size) => size ?? 0);
  if (sizes.filter((size) => size !== 1).length <= 1) return features;
  if (layer.getClassName() === 'Flatten' && dataFormat === 'channelsFirst') {
    // This Flatten moves the channels to the end first.
    return channelsFirst
      ? { is: 'features', order: [...sizes.slice(1), sizes[0]!] }
      : { is: 'unknown', flattenedBy: layer.name };
  }
  return { is: 'features', order: channelsFirst || sizes.at(-1) === 1 ? null : sizes };
}
