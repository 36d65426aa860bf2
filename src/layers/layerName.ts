import type { LayersModel, LayerVariable, layers, RNN } from '@tensorflow/tfjs-layers';

// Not conv3dTranspose, which tfjs types as a layer of whatever class.
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

declare module '../parametrize/registerParametrization.ts' {
  interface ForeignHosts {
    /** A layer of whatever class, such as `model.layers[0]`. */
    layer: { host: layers.Layer; name: LayerName | `${string}.${LayerName}`; exactly: true };
    /** A cell of whatever class, such as `lstm.cell`. */
    recurrentCell: { host: RNN['cell']; name: CellName; exactly: true };
    /** Fields of layers of one's own, and of cells. */
    layerField: { host: layers.Layer; field: LayerVariable };
    /** A model: a path to a weight. */
    layersModel: { host: LayersModel; name: `${string}.${string}` };
    /** A dense layer. */
    dense: { host: ReturnType<typeof layers.dense>; name: KernelName };
    /** A convolution, transposed or not. */
    convolution: { host: Convolution; name: KernelName };
    /** A depthwise convolution. */
    depthwise: { host: ReturnType<typeof layers.depthwiseConv2d>; name: 'depthwiseKernel' | 'bias' };
    /** A separable convolution. */
    separable: {
      host: ReturnType<typeof layers.separableConv2d>;
      name: 'depthwiseKernel' | 'pointwiseKernel' | 'bias';
    };
    /** An embedding. */
    embedding: { host: ReturnType<typeof layers.embedding>; name: 'embeddings' };
    /** A recurrent layer: a path to a weight of its cell, or of one of its cells. */
    recurrent: { host: RNN; name: `cell.${CellName}` | `cell.cells.${number}.${CellName}` };
    /** A bidirectional layer: a path to a weight of one direction. */
    bidirectional: {
      host: ReturnType<typeof layers.bidirectional>;
      name: `${'forwardLayer' | 'backwardLayer'}.cell.${CellName | `cells.${number}.${CellName}`}`;
    };
    /** A layer at every time step: a path to a weight of that layer. */
    timeDistributed: { host: ReturnType<typeof layers.timeDistributed>; name: `layer.${string}` };
    /** Batch normalization. */
    batchNormalization: {
      host: ReturnType<typeof layers.batchNormalization>;
      name: NormName | 'movingMean' | 'movingVariance';
    };
    /** Layer normalization. */
    layerNormalization: { host: ReturnType<typeof layers.layerNormalization>; name: NormName };
    /** PReLU. */
    prelu: { host: ReturnType<typeof layers.prelu>; name: 'alpha' };
  }
}
