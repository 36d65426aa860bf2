import { joinPath } from '../../core/paths.ts';
import { sizeOf } from '../../core/shapes.ts';
import type { Layer } from '../../engine/layer.ts';
import { isLayerVariable, type LayerVariable } from '../../engine/layerVariable.ts';
import { type Factor, Layout } from '../../stateDict/layout.ts';
import type { StateTensor } from '../../stateDict/stateTensor.ts';
import type { StatePart } from '../../stateDict/stateView.ts';
import { everyLayer, ownWeights } from '../host/layer.ts';
import type { FeatureOrder } from './featureOrder.ts';

/** A layer and its position in the model. */
export interface LayerPlace {
  readonly layer: Layer;
  /** The path of torch's module. */
  readonly path: string;
  /** The path of the layer, through the fields of wrappers. */
  readonly hostPath: string;
  /** The order of the input features. */
  readonly before: FeatureOrder;
  /** The order of the output features. */
  readonly after: FeatureOrder;
}

/** A part without the fields that its layer determines. */
export type TorchPart = Omit<StatePart<StateTensor>, 'owner' | 'isNamed'>;

/** An axis of features in both orders. */
interface FeatureAxis {
  readonly torch: readonly Factor[];
  readonly own: readonly Factor[];
}

const factor = (name: string, size: number): Factor => ({ name, size });

function featureAxis(name: string, size: number, order: FeatureOrder): FeatureAxis {
  if (order === null || sizeOf(order) !== size) {
    const one = [factor(name, size)];
    return { torch: one, own: one };
  }
  const names = spatialNames(order.length - 1);
  const [channels, ...spatial] = [
    factor('c', order.at(-1)!),
    ...order.slice(0, -1).map((length, i) => factor(names[i]!, length)),
  ] as [Factor, ...Factor[]];
  return { torch: [channels, ...spatial], own: [...spatial, channels] };
}

const spatialNames = (rank: number): string[] => (rank === 1 ? ['l'] : ['d', 'h', 'w'].slice(3 - rank));

const weightOf = (layer: Layer, name: string): LayerVariable | null => {
  const weight = (layer as unknown as Record<string, unknown>)[name];
  return isLayerVariable(weight) ? weight : null;
};

/** Returns a weight of a layer as a tensor of torch, or nothing if the layer lacks the weight. */
export function torchTensor(
  { layer, hostPath }: Pick<LayerPlace, 'layer' | 'hostPath'>,
  name: string,
  torchNames: string | readonly string[],
  layoutOf: (shape: readonly number[]) => Layout | null,
  more: Pick<StateTensor, 'isBuffer' | 'isBroadcast'> = {},
): StateTensor[] {
  const weight = weightOf(layer, name);
  if (weight === null) return [];
  const layout = layoutOf(weight.shape as readonly number[]);
  return [
    {
      path: joinPath(hostPath, name),
      host: layer,
      hostPath,
      name,
      identity: weight,
      shape: weight.shape as readonly number[],
      variable: () => weightOf(layer, name)!.val,
      torchNames: layout === null ? [] : [torchNames].flat(),
      torchShape: layout?.torchShape ?? null,
      layout,
      ...more,
    },
  ];
}

/** Returns the weights of a layer and all layers below it unchanged, if torch has no such module. */
export function nativeTensors({ layer, hostPath }: Pick<LayerPlace, 'layer' | 'hostPath'>): StateTensor[] {
  return everyLayer(layer).flatMap(([below, owner]) => {
    const place = { layer: owner, hostPath: joinPath(hostPath, below) };
    return [...ownWeights(owner).keys()].flatMap((name) => torchTensor(place, name, [], () => null));
  });
}

/** The layout of a vector of features. */
export const vector =
  (name: string, order: FeatureOrder = null) =>
  ([size]: readonly number[]): Layout => {
    const axis = featureAxis(name, size!, order);
    return new Layout([axis.torch], [axis.own]);
  };

/** The layout `[in, out]`, in torch `[out, in]`. */
export const matrix =
  (output: string, before: FeatureOrder, after: FeatureOrder) =>
  ([inSize, outSize]: readonly number[]): Layout => {
    const [input, out] = [featureAxis('in', inSize!, before), featureAxis(output, outSize!, after)];
    return new Layout([out.torch, input.torch], [input.own, out.own]);
  };

const kernelNames = (rank: number): string[] =>
  rank === 1 ? ['k'] : spatialNames(rank).map((name) => `k${name}`);

/**
 * The layout `[...size, in, out]`, in torch `[out, in, ...size]`. Transposed convolutions have `[...size, out, in]`, in
 * torch `[in, out, ...size]`.
 */
const filter =
  (isTransposed: boolean) =>
  (shape: readonly number[]): Layout => {
    const names = kernelNames(shape.length - 2);
    const size = names.map((name, i) => factor(name, shape[i]!));
    const [last, first] = (isTransposed ? ['out', 'in'] : ['in', 'out']).map((name, i) =>
      factor(name, shape[shape.length - 2 + i]!),
    ) as [Factor, Factor];
    return new Layout(
      [first, last, ...size].map((axis) => [axis]),
      [...size, last, first].map((axis) => [axis]),
    );
  };

/**
 * The layout `[h, w, in, multiplier]`, in torch `[in · multiplier, 1, h, w]`: a convolution with one group for each
 * channel.
 */
const depthwise = (shape: readonly number[]): Layout => {
  const [kh, kw, input, multiplier] = ['kh', 'kw', 'in', 'm'].map((name, i) => factor(name, shape[i]!)) as [
    Factor,
    Factor,
    Factor,
    Factor,
  ];
  return new Layout([[input, multiplier], [], [kh], [kw]], [[kh], [kw], [input], [multiplier]]);
};

const same = (shape: readonly number[]): Layout => {
  const axes = shape.map((size, i) => [factor(['tokens', 'features'][i]!, size)]);
  return new Layout(axes, axes);
};

/**
 * The layout of slopes. Slopes for each channel are a vector in torch. torch has no slopes for each position; those get
 * the channels first.
 */
const slopes =
  (order: FeatureOrder) =>
  (shape: readonly number[]): Layout => {
    if (shape.length === 1) return vector('features', order)(shape);
    const names = spatialNames(shape.length - 1);
    const spatial = shape.slice(0, -1).map((size, i) => factor(names[i]!, size));
    const channels = factor('c', shape.at(-1)!);
    const isShared = spatial.every(({ size }) => size === 1);
    return new Layout(
      [[channels], ...(isShared ? [] : spatial.map((axis) => [axis]))],
      [...spatial.map((axis) => (isShared ? [] : [axis])), [channels]],
    );
  };

/** The layout of a scale. Only vectors have one; with several axes, the order in torch is not known. */
const scale =
  (order: FeatureOrder) =>
  (shape: readonly number[]): Layout | null =>
    shape.length === 1 ? vector('features', order)(shape) : null;

const convolution =
  (isTransposed: boolean) =>
  (place: LayerPlace): TorchPart[] => [
    {
      path: place.path,
      isTransposed,
      tensors: [
        ...torchTensor(place, 'kernel', 'weight', filter(isTransposed)),
        ...torchTensor(place, 'bias', 'bias', vector('out')),
      ],
    },
  ];

/** The functions that return the parts of a layer, by class. */
export const torchParts: Readonly<Record<string, (place: LayerPlace) => TorchPart[]>> = {
  Dense: (place) => [
    {
      path: place.path,
      tensors: [
        ...torchTensor(place, 'kernel', 'weight', matrix('out', place.before, place.after)),
        ...torchTensor(place, 'bias', 'bias', vector('out', place.after)),
      ],
    },
  ],
  Conv1D: convolution(false),
  Conv2D: convolution(false),
  Conv3D: convolution(false),
  Conv2DTranspose: convolution(true),
  Conv3DTranspose: convolution(true),
  DepthwiseConv2D: (place) => [
    {
      path: place.path,
      tensors: [
        ...torchTensor(place, 'depthwiseKernel', 'weight', depthwise),
        ...torchTensor(place, 'bias', 'bias', vector('in·m')),
      ],
    },
  ],
  SeparableConv2D: (place) => [
    {
      path: joinPath(place.path, 'depthwise'),
      tensors: torchTensor(place, 'depthwiseKernel', 'weight', depthwise),
    },
    {
      path: joinPath(place.path, 'pointwise'),
      tensors: [
        ...torchTensor(place, 'pointwiseKernel', 'weight', filter(false)),
        ...torchTensor(place, 'bias', 'bias', vector('out')),
      ],
    },
  ],
  Embedding: (place) => [{ path: place.path, tensors: torchTensor(place, 'embeddings', 'weight', same) }],
  BatchNormalization: (place) => [
    {
      path: place.path,
      tensors: [
        ...torchTensor(place, 'gamma', 'weight', scale(place.before)),
        ...torchTensor(place, 'beta', 'bias', scale(place.before)),
        ...torchTensor(place, 'movingMean', 'running_mean', scale(place.before), { isBuffer: true }),
        ...torchTensor(place, 'movingVariance', 'running_var', scale(place.before), { isBuffer: true }),
      ],
    },
  ],
  LayerNormalization: (place) => [
    {
      path: place.path,
      tensors: [
        ...torchTensor(place, 'gamma', 'weight', scale(place.before)),
        ...torchTensor(place, 'beta', 'bias', scale(place.before)),
      ],
    },
  ],
  PReLU: (place) => [
    {
      path: place.path,
      tensors: torchTensor(place, 'alpha', 'weight', slopes(place.before), { isBroadcast: true }),
    },
  ],
};
