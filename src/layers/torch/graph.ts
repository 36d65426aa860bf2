import type { Layer } from '../../engine/layer.ts';
import { callsOf, callsOnOutputs, type GraphLayer, type SymbolicTensor } from '../../engine/layerGraph.ts';
import { childrenOf } from '../host/layer.ts';

/** True for a model: a layer that is a graph of layers. */
export const isContainer = (layer: Layer): boolean => Array.isArray((layer as GraphLayer).layers);

/** The connections into and out of models that are layers of other models. */
export interface Graph {
  /** The layers of the model and of its inner models, including those models. */
  readonly layers: readonly GraphLayer[];
  /** The outer tensors that are passed to an input of an inner model. */
  readonly outsideOf: ReadonlyMap<SymbolicTensor, readonly SymbolicTensor[]>;
  /** The outer tensors that an output of an inner model becomes. */
  readonly resultsOf: ReadonlyMap<SymbolicTensor, readonly SymbolicTensor[]>;
  /** True if a path leads from one layer to another. */
  leadsTo(from: GraphLayer, to: GraphLayer): boolean;
}

/** Returns the graph of a model with its inner models. */
export function graphOf(model: Layer): Graph {
  const layers: GraphLayer[] = [];
  const walk = (layer: GraphLayer): void => {
    if (layers.includes(layer)) return;
    layers.push(layer);
    if (isContainer(layer)) for (const [, child] of childrenOf(layer)) walk(child as GraphLayer);
  };
  walk(model as GraphLayer);
  const [outsideOf, resultsOf] = [
    new Map<SymbolicTensor, SymbolicTensor[]>(),
    new Map<SymbolicTensor, SymbolicTensor[]>(),
  ];
  const add = (
    map: Map<SymbolicTensor, SymbolicTensor[]>,
    edge: SymbolicTensor | undefined,
    other: SymbolicTensor | undefined,
  ): void => {
    if (edge === undefined || other === undefined || edge === other) return;
    map.set(edge, [...(map.get(edge) ?? []), other]);
  };
  const containers = layers.filter((layer) => layer !== model && isContainer(layer));
  for (const container of containers) {
    const { inputs = [], outputs = [] } = container;
    for (const { inputTensors, outputTensors } of callsOf(container)) {
      for (const [i, edge] of inputs.entries()) add(outsideOf, edge, inputTensors[i]);
      for (const [i, edge] of outputs.entries()) add(resultsOf, edge, outputTensors[i]);
    }
  }
  const after = (layer: GraphLayer): GraphLayer[] => {
    const around = containers.filter(({ outputLayers = [] }) => outputLayers.includes(layer));
    return [layer, ...around]
      .flatMap(callsOnOutputs)
      .flatMap(({ outboundLayer }) => [outboundLayer, ...(outboundLayer.inputLayers ?? [])]);
  };
  const leadsTo = (from: GraphLayer, to: GraphLayer): boolean => {
    const found = new Set<GraphLayer>(after(from));
    for (const layer of found) for (const next of after(layer)) found.add(next);
    return found.has(to);
  };
  return { layers, outsideOf, resultsOf, leadsTo };
}
