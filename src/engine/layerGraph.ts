import type { Layer } from './layer.ts';

/** The fields of a symbolic tensor of tfjs-layers that this package uses. */
export interface SymbolicTensor {
  /** With the batch. */
  readonly shape: readonly (number | null)[];
  readonly sourceLayer: GraphLayer;
  readonly nodeIndex?: number;
  readonly outputTensorIndex?: number;
}

/** One call of a layer on symbolic tensors. */
export interface LayerCall {
  readonly inputTensors: readonly SymbolicTensor[];
  readonly outputTensors: readonly SymbolicTensor[];
  /** The layer that is called. */
  readonly outboundLayer: GraphLayer;
}

/** A layer in the graph of its models. */
export interface GraphLayer extends Layer {
  /** Its layers, if it is a model. */
  readonly layers?: readonly GraphLayer[];
  readonly inputs?: readonly SymbolicTensor[];
  readonly outputs?: readonly SymbolicTensor[];
  readonly inputLayers?: readonly GraphLayer[];
  readonly outputLayers?: readonly GraphLayer[];
}

/** The nodes in the graph of tfjs-layers, by its names; a layer without them is in no graph. */
interface Nodes {
  readonly inboundNodes?: readonly LayerCall[];
  readonly outboundNodes?: readonly LayerCall[];
}

/** The calls of a layer, first to last. */
export const callsOf = (layer: Layer): readonly LayerCall[] => (layer as Layer & Nodes).inboundNodes ?? [];

/** The calls of other layers on what a layer returns. */
export const callsOnOutputs = (layer: Layer): readonly LayerCall[] =>
  (layer as Layer & Nodes).outboundNodes ?? [];
