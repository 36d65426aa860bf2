import type { LayersModel, LayerVariable, layers, RNN } from '@tensorflow/tfjs-layers';

// conv3dTranspose is missing, because tfjs types it as an unspecific layer.
type Convolution = ReturnType<
  typeof layers.conv1d | typeof layers.conv2d | typeof layers.conv3d | typeof layers.conv2dTranspose
>;

/** The weights of convolutions and dense layers. */
type KernelName = 'kernel' | 'bias';

/** The weights of recurrent cells. */
type CellName = KernelName | 'recurrentKernel';

/** The weights of normalizing layers. */
type NormName = 'gamma' | 'beta';

/** The weights of the layers of tfjs-layers. */
export type LayerName =
  | CellName
  | NormName
  | 'depthwiseKernel'
  | 'pointwiseKernel'
  | 'embeddings'
  | 'movingMean'
  | 'movingVariance'
  | 'alpha';

/** A type of host, with the names of its tensors. */
interface Named<H, N> {
  /** The type of the host. */
  host: H;
  /** The names of its tensors. */
  name: N;
}

/** A type of host whose subtypes define their own names. */
interface Base<H, N> extends Named<H, N> {
  /** Distinguishes it from {@link Named}. */
  exactly: true;
}

/** A type of host whose tensors are its fields of some type. */
interface Fields<H, F> {
  /** The type of the host. */
  host: H;
  /** The type of the fields. */
  field: F;
}

declare module '../../parametrize/verbs/registerParametrization.ts' {
  interface HostTypes {
    /** A layer of an unknown class, such as `model.layers[0]`. */
    layer: Base<layers.Layer, LayerName | `${string}.${LayerName}`>;
    /** A cell of an unknown class, such as `lstm.cell`. */
    recurrentCell: Base<RNN['cell'], CellName>;
    /** Fields of custom layers and of cells. */
    layerField: Fields<layers.Layer, LayerVariable>;
    /** A model: a path to a weight. */
    layersModel: Named<LayersModel, `${string}.${string}`>;
    /** A dense layer. */
    dense: Named<ReturnType<typeof layers.dense>, KernelName>;
    /** A convolution, transposed or not. */
    convolution: Named<Convolution, KernelName>;
    /** A depthwise convolution. */
    depthwise: Named<ReturnType<typeof layers.depthwiseConv2d>, 'depthwiseKernel' | 'bias'>;
    /** A separable convolution. */
    separable: Named<
      ReturnType<typeof layers.separableConv2d>,
      'depthwiseKernel' | 'pointwiseKernel' | 'bias'
    >;
    /** An embedding. */
    embedding: Named<ReturnType<typeof layers.embedding>, 'embeddings'>;
    /** A recurrent layer: a path to a weight of its cell or cells. */
    recurrent: Named<RNN, `cell.${CellName}` | `cell.cells.${number}.${CellName}`>;
    /** A bidirectional layer: a path to a weight of one direction. */
    bidirectional: Named<
      ReturnType<typeof layers.bidirectional>,
      `${'forwardLayer' | 'backwardLayer'}.cell.${CellName | `cells.${number}.${CellName}`}`
    >;
    /** A time-distributed layer: a path to a weight of its inner layer. */
    timeDistributed: Named<ReturnType<typeof layers.timeDistributed>, `layer.${string}`>;
    /** Batch normalization. */
    batchNormalization: Named<
      ReturnType<typeof layers.batchNormalization>,
      NormName | 'movingMean' | 'movingVariance'
    >;
    /** Layer normalization. */
    layerNormalization: Named<ReturnType<typeof layers.layerNormalization>, NormName>;
    /** PReLU. */
    prelu: Named<ReturnType<typeof layers.prelu>, 'alpha'>;
  }
}

declare module '../../stateDict/stateView.ts' {
  interface ModelTypes {
    /** A layer, or a model of layers. */
    layer: layers.Layer;
  }
}
