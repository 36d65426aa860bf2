import { joinPath } from '../../core/paths.ts';
import type { Layer } from '../../engine/layer.ts';
import type { StateTensor } from '../../stateDict/stateTensor.ts';
import type { FeatureOrder } from './featureOrder.ts';
import { type LayerPlace, matrix, nativeTensors, type TorchPart, torchTensor, vector } from './torchParts.ts';

/** The part of a recurrent layer of tfjs that this file uses. */
interface Recurrent extends Layer {
  readonly cell: Layer & { readonly cells?: readonly Layer[] };
  readonly goBackwards?: boolean;
}

interface Bidirectional extends Layer {
  readonly forwardLayer: Recurrent;
  readonly backwardLayer: Recurrent;
}

/** A cell, and its path. */
interface Cell {
  readonly layer: Layer;
  readonly hostPath: string;
}

/** The cells that compute the same as torch's. */
const known = ['SimpleRNNCell', 'LSTMCell'];

/** Returns the tensors of a cell. torch's gates i, f, g, o and tfjs's gates i, f, c, o are the same. */
function tensorsOf(cell: Cell, suffix: string, before: FeatureOrder): StateTensor[] {
  const units = cell.layer.getClassName() === 'LSTMCell' ? 'gates·units' : 'units';
  return [
    ...torchTensor(cell, 'kernel', `weight_ih_${suffix}`, matrix(units, before, null)),
    ...torchTensor(cell, 'recurrentKernel', `weight_hh_${suffix}`, matrix(units, null, null)),
    ...torchTensor(cell, 'bias', [`bias_ih_${suffix}`, `bias_hh_${suffix}`], vector(units)),
  ];
}

/** Returns one part for each level. torch has all levels in one module. */
export function recurrentParts(place: LayerPlace): TorchPart[] {
  const layer = place.layer as Recurrent | Bidirectional;
  const { path, hostPath } = place;
  const at = (name: string): string => joinPath(hostPath, name);
  const isBoth = 'forwardLayer' in layer;
  const directions: [layer: Recurrent, hostPath: string, suffix: string][] = isBoth
    ? [
        [layer.forwardLayer, at('forwardLayer'), ''],
        [layer.backwardLayer, at('backwardLayer'), '_reverse'],
      ]
    : [[layer, hostPath, '']];
  const cells = directions.map(([recurrent, below]) => cellsOf(recurrent, below));
  const types = new Set(cells.flat().map(({ layer: cell }) => cell.getClassName()));
  // In torch, all levels have one type, the forward direction comes first, and each level reads both directions of the
  // previous one.
  const isAlike =
    types.size === 1 &&
    known.includes([...types][0]!) &&
    directions[0]![0].goBackwards !== true &&
    (!isBoth || cells[0]!.length === 1);
  if (!isAlike) {
    const refused = types.has('GRUCell') ? { refused: gated } : {};
    return [{ path, tensors: nativeTensors(place), ...refused }];
  }
  return cells[0]!.map((_, level) => ({
    path,
    tensors: directions.flatMap(([, , suffix], i) =>
      tensorsOf(cells[i]![level]!, `l${level}${suffix}`, level === 0 ? place.before : null),
    ),
  }));
}

const cellsOf = ({ cell }: Recurrent, hostPath: string): Cell[] => {
  const path = joinPath(hostPath, 'cell');
  return cell.cells === undefined
    ? [{ layer: cell, hostPath: path }]
    : cell.cells.map((layer, i) => ({ layer, hostPath: `${path}.cells.${i}` }));
};

const gated = {
  names: /^(?:weight|bias)_(?:ih|hh)_l\d+(?:_reverse)?$/,
  why: "the GRU of tf.layers multiplies the state with the reset gate before the recurrent kernel, torch's after it (resetAfter, which tfjs has not): no weights make them compute the same. Use GRU of 'tfjs-parametrize/nn'",
};

/** Returns notes on options with which a recurrent layer computes another result than torch's. */
export function recurrentNotes({ layer, path }: Pick<LayerPlace, 'layer' | 'path'>): string[] {
  const directions = 'forwardLayer' in layer ? [(layer as Bidirectional).forwardLayer] : [layer as Recurrent];
  const cells = directions.flatMap((recurrent) => cellsOf(recurrent, '')).map((cell) => cell.layer);
  const gates = cells
    .filter((cell) => cell.getClassName() === 'LSTMCell')
    .map((cell) => (cell as unknown as { recurrentActivation: Layer }).recurrentActivation.getClassName());
  return gates.some((name) => name !== 'sigmoid')
    ? [`'${path}': recurrentActivation is ${gates[0]}, torch computes sigmoid`]
    : [];
}
