import type { Layer } from './layer.ts';

/** The fields of a symbolic tensor of tfjs-layers that this package uses. */
export interface SymbolicTensor {
  /** The shape, with the batch axis. */
  readonly shape: readonly (number | null)[];
  readonly sourceLayer: GraphLayer;
  readonly nodeIndex?: number;
  readonly outputTensorIndex?: number;
}

/** One call of a layer on symbolic tensors. */
export interface LayerCall {
  readonly inputTensors: readonly SymbolicTensor[];
  readonly outputTensors: readonly SymbolicTensor[];
  /** The called layer. */
  readonly outboundLayer: GraphLayer;
}

/** A layer in the graph of its models. */
export interface GraphLayer extends Layer {
  /** The layers of a model; undefined for other layers. */
  readonly layers?: readonly GraphLayer[];
  readonly inputs?: readonly SymbolicTensor[];
  readonly outputs?: readonly SymbolicTensor[];
  readonly inputLayers?: readonly GraphLayer[];
  readonly outputLayers?: readonly GraphLayer[];
}

/** The nodes in the graph of tfjs-layers. A layer without nodes is in no graph. */
interface Nodes {
  readonly inboundNodes?: readonly LayerCall[];
  readonly outboundNodes?: readonly LayerCall[];
}

/** Returns the calls of a layer, first to last. */
export const callsOf = (layer: Layer): readonly LayerCall[] => (layer as Layer & Nodes).inboundNodes ?? [];

/** Returns the calls of other layers on the outputs of a layer. */
export const callsOnOutputs = (layer: Layer): readonly LayerCall[] =>
  (layer as Layer & Nodes).outboundNodes ?? [];
