import { childrenOf, type Layer } from './layer.ts';

/** The part of a symbolic tensor of tfjs-layers that this folder uses. */
export interface Edge {
  /** With the batch. */
  readonly shape: readonly (number | null)[];
  readonly sourceLayer: GraphLayer;
  readonly nodeIndex?: number;
  readonly outputTensorIndex?: number;
}

/** One call of a layer. */
interface GraphNode {
  readonly inputTensors: readonly Edge[];
  readonly outputTensors: readonly Edge[];
  readonly outboundLayer: GraphLayer;
}

/** A layer in the graph of its models. */
export interface GraphLayer extends Layer {
  readonly inboundNodes: readonly GraphNode[];
  readonly outboundNodes: readonly GraphNode[];
  /** The layers of a model. */
  readonly layers?: readonly GraphLayer[];
  readonly inputs?: readonly Edge[];
  readonly outputs?: readonly Edge[];
  readonly inputLayers?: readonly GraphLayer[];
  readonly outputLayers?: readonly GraphLayer[];
}

/** True for a model: a layer that is a graph of layers. */
export const isContainer = (layer: Layer): boolean => Array.isArray((layer as GraphLayer).layers);

/** The connections into and out of models that are layers of other models. */
export interface Graph {
  /** The layers of the model and of those in it, models included. */
  readonly layers: readonly GraphLayer[];
  /** The outer tensors that arrive at an input of an inner model. */
  readonly outsideOf: ReadonlyMap<Edge, readonly Edge[]>;
  /** The outer tensors that an output of an inner model becomes. */
  readonly resultsOf: ReadonlyMap<Edge, readonly Edge[]>;
  /** True if a path leads from one layer to another. */
  leadsTo(from: GraphLayer, to: GraphLayer): boolean;
}

/** The graph of a model, through the models in it. */
export function graphOf(model: Layer): Graph {
  const layers: GraphLayer[] = [];
  const walk = (layer: GraphLayer): void => {
    if (layers.includes(layer)) return;
    layers.push(layer);
    if (isContainer(layer)) for (const [, child] of childrenOf(layer)) walk(child as GraphLayer);
  };
  walk(model as GraphLayer);
  const [outsideOf, resultsOf] = [new Map<Edge, Edge[]>(), new Map<Edge, Edge[]>()];
  const add = (map: Map<Edge, Edge[]>, edge: Edge | undefined, other: Edge | undefined): void => {
    if (edge === undefined || other === undefined || edge === other) return;
    map.set(edge, [...(map.get(edge) ?? []), other]);
  };
  const containers = layers.filter((layer) => layer !== model && isContainer(layer));
  for (const { inputs = [], outputs = [], inboundNodes } of containers) {
    for (const { inputTensors, outputTensors } of inboundNodes) {
      for (const [i, edge] of inputs.entries()) add(outsideOf, edge, inputTensors[i]);
      for (const [i, edge] of outputs.entries()) add(resultsOf, edge, outputTensors[i]);
    }
  }
  const after = (layer: GraphLayer): GraphLayer[] => {
    const around = containers.filter(({ outputLayers = [] }) => outputLayers.includes(layer));
    const nodes = [layer, ...around].flatMap(({ outboundNodes }) => outboundNodes);
    return nodes.flatMap(({ outboundLayer }) => [outboundLayer, ...(outboundLayer.inputLayers ?? [])]);
  };
  const leadsTo = (from: GraphLayer, to: GraphLayer): boolean => {
    const found = new Set<GraphLayer>(after(from));
    for (const layer of found) for (const next of after(layer)) found.add(next);
    return found.has(to);
  };
  return { layers, outsideOf, resultsOf, leadsTo };
}
