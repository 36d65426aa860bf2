import { refusal } from '../../core/errors.ts';
import { joinPath } from '../../core/paths.ts';
import { typeName } from '../../core/text.ts';
import { isLayer, type Layer } from '../../engine/layer.ts';
import type { GraphLayer } from '../../engine/layerGraph.ts';
import type { Model } from '../../engine/modelTraining.ts';
import type { StateTensor } from '../../stateDict/stateTensor.ts';
import type { StateKind, StatePart, TorchState } from '../../stateDict/stateView.ts';
import { everyLayer, ownWeights } from '../host/layer.ts';
import { plainModel } from '../host/plainModel.ts';
import { collectCurrentWeights } from '../training/collectedWeights.ts';
import { type FeatureOrders, featureOrders, recurrent } from './featureOrder.ts';
import { type Graph, graphOf, isContainer } from './graph.ts';
import { leavesOf } from './leaves.ts';
import { recurrentNotes, recurrentParts } from './recurrentParts.ts';
import { withoutTied } from './tiedTensors.ts';
import { type LayerPlace, nativeTensors, type TorchPart, torchParts } from './torchParts.ts';

/** The kind of state of the layers and models of tfjs-layers. */
export const layerModel: StateKind = {
  accepts: isLayer,
  stateOf: (caller, model) => stateOf(caller, model as Layer),
  plainModel: (caller, model) => plainModel(caller, model as Layer),
  registered: (caller, model) => collectCurrentWeights(caller, model as Model),
};

/** torch's default, which differs from the default of tfjs. */
const torchEpsilon = 1e-5;

function stateOf(caller: string, model: Layer): TorchState {
  const graph = graphOf(model);
  const orders = featureOrders(graph);
  const { leaves, otherPaths } = leavesOf(model);
  // An empty Sequential counts as built.
  const unbuilt =
    leaves.find(({ layer }) => !layer.built) ?? (leaves.length === 0 ? { path: '' } : undefined);
  if (unbuilt !== undefined) {
    throw refusal(
      'UNSUPPORTED_HOST',
      caller,
      `'${unbuilt.path || model.name}' is not built, so that it has no weights`,
      'Give the model an inputShape, or call it once.',
    );
  }
  const layerAt = new Map(leaves.map(({ path, layer }) => [path, layer]));
  const notes: string[] = [];
  const all = leaves.flatMap(({ path, layer, isNamed }) => {
    const found = partsOf({ layer, path, hostPath: path, ...ordersOf(orders, layer) });
    notes.push(...found.notes);
    return found.parts.map((part): StatePart<StateTensor> => ({ ...part, owner: path, isNamed }));
  });
  checkNames(caller, all);
  const { parts, ties, tied } = withoutTied(all, otherPaths);
  return {
    type: typeName(model),
    parts,
    ties,
    tied,
    notes: [...notes, ...orders.notes],
    areOrdered: (a, b) => areOrdered(graph, layerAt.get(a.owner)!, layerAt.get(b.owner)!),
  };
}

const hasWeights = (layer: Layer): boolean =>
  everyLayer(layer).some(([, below]) => ownWeights(below).size > 0);

/** Returns the orders of the features of a layer. Only layers with weights need the graph. */
const ordersOf = (orders: FeatureOrders, layer: Layer): Pick<LayerPlace, 'before' | 'after'> =>
  hasWeights(layer)
    ? { before: orders.before(layer), after: orders.after(layer) }
    : { before: null, after: null };

interface Parts {
  readonly parts: readonly TorchPart[];
  readonly notes: readonly string[];
}

function partsOf(place: LayerPlace): Parts {
  const { layer, path, hostPath } = place;
  if (!hasWeights(layer)) return { parts: [], notes: [] };
  const type = layer.getClassName();
  if (type === 'TimeDistributed') {
    const inner = (layer as unknown as { layer: Layer }).layer;
    const below = joinPath(hostPath, 'layer');
    if (!isContainer(inner)) return partsOf({ ...place, layer: inner, hostPath: below });
  }
  if (recurrent.has(type)) return { parts: recurrentParts(place), notes: recurrentNotes(place) };
  const known = torchParts[type];
  if (known === undefined) return { parts: [{ path, tensors: nativeTensors(place) }], notes: [] };
  const { epsilon } = layer as { epsilon?: unknown };
  const isOther = typeof epsilon === 'number' && epsilon !== torchEpsilon;
  const notes = isOther ? [`'${path}': epsilon is ${epsilon}, torch's default is ${torchEpsilon}`] : [];
  return { parts: known(place).filter(({ tensors }) => tensors.length > 0), notes };
}

function areOrdered({ leadsTo }: Graph, a: Layer, b: Layer): boolean {
  if (a === b) return true;
  const [from, to] = [a as GraphLayer, b as GraphLayer];
  return leadsTo(from, to) !== leadsTo(to, from);
}

/** Refuses equal paths of different layers, which names with dots can cause. */
function checkNames(caller: string, parts: readonly StatePart[]): void {
  const taken = new Map<string, string>();
  for (const { path, tensors } of parts) {
    for (const tensor of tensors) {
      for (const name of tensor.torchNames) {
        const key = `${path}.${name}`;
        const other = taken.get(key);
        if (other !== undefined) {
          throw refusal(
            'AMBIGUOUS',
            caller,
            `'${other}' and '${tensor.path}' are both called '${key}' in a state dict`,
            'Give one of the layers another name.',
          );
        }
        taken.set(key, tensor.path);
      }
    }
  }
}
