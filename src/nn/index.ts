export { CELU, ELU, SELU } from './activation/elu.ts';
export { GELU, type GELUOptions } from './activation/gelu.ts';
export { GLU } from './activation/glu.ts';
export { Hardsigmoid, Hardswish, Hardtanh, ReLU6 } from './activation/hardtanh.ts';
export { PReLU } from './activation/prelu.ts';
export { LeakyReLU, ReLU, Threshold } from './activation/relu.ts';
export { Hardshrink, Softshrink, Tanhshrink } from './activation/shrink.ts';
export { Sigmoid, Softsign, Tanh } from './activation/sigmoid.ts';
export { Mish, SiLU } from './activation/silu.ts';
export { LogSoftmax, Softmax } from './activation/softmax.ts';
export { LogSigmoid, Softplus } from './activation/softplus.ts';
export type { AttentionOptions, MultiheadAttentionOptions } from './attention/attentionOptions.ts';
export { MultiheadAttention } from './attention/multiheadAttention.ts';
export {
  type EncoderOptions,
  TransformerEncoderLayer,
  type TransformerEncoderLayerOptions,
} from './attention/transformerEncoderLayer.ts';
export type { NamedModules } from './containers/childNames.ts';
export { ModuleDict, ModuleList, ModuleSequence, Sequential } from './containers/containers.ts';
export { type NamedParameters, ParameterDict } from './containers/parameterDict.ts';
export { ParameterList } from './containers/parameterList.ts';
export { Conv1d, type Conv1dOptions } from './convolution/conv1d.ts';
export { Conv2d, type Conv2dOptions } from './convolution/conv2d.ts';
export { Conv3d, type Conv3dOptions } from './convolution/conv3d.ts';
export { ConvTranspose1d, type ConvTranspose1dOptions } from './convolution/convTranspose1d.ts';
export { ConvTranspose2d, type ConvTranspose2dOptions } from './convolution/convTranspose2d.ts';
export { ConvTranspose3d, type ConvTranspose3dOptions } from './convolution/convTranspose3d.ts';
export { Dropout, Dropout1d, Dropout2d, type DropoutOptions } from './dropout.ts';
export { Embedding, type EmbeddingOptions, type PretrainedOptions } from './embedding.ts';
export { Flatten } from './flatten/flatten.ts';
export { Unflatten } from './flatten/unflatten.ts';
export * as init from './init/init.ts';
export { manualSeed } from './init/random.ts';
export { Bilinear, type BilinearOptions } from './linear/bilinear.ts';
export { Identity } from './linear/identity.ts';
export { Linear, type LinearOptions } from './linear/linear.ts';
export type {
  ForwardHook,
  ForwardPreHook,
  HookHandle,
  LoadStateDictPreHook,
  LoadStateDictReport,
  StateDict,
  StateDictLoading,
} from './module/hooks.ts';
export { type LoadStateDictOptions, StateDictError } from './module/loadStateDict.ts';
export { Module, type Parametrizations } from './module/module.ts';
export { buffer, parameter } from './module/parameter.ts';
export { BatchNorm1d, BatchNorm2d, type BatchNormOptions } from './normalization/batchNorm.ts';
export { GroupNorm, type GroupNormOptions } from './normalization/groupNorm.ts';
export { InstanceNorm1d, InstanceNorm2d, type InstanceNormOptions } from './normalization/instanceNorm.ts';
export { LayerNorm, type LayerNormOptions } from './normalization/layerNorm.ts';
export {
  MeanOnlyBatchNorm1d,
  MeanOnlyBatchNorm2d,
  type MeanOnlyBatchNormOptions,
} from './normalization/meanOnlyBatchNorm.ts';
export { ConstantPad1d, ConstantPad2d, ZeroPad1d, ZeroPad2d } from './padding/constantPad.ts';
export {
  CircularPad1d,
  CircularPad2d,
  ReflectionPad1d,
  ReflectionPad2d,
  ReplicationPad1d,
  ReplicationPad2d,
} from './padding/edgePad.ts';
export { AdaptiveAvgPool1d, AdaptiveAvgPool2d } from './pooling/adaptiveAvgPool.ts';
export { AvgPool1d, type AvgPool1dOptions, AvgPool2d, type AvgPool2dOptions } from './pooling/avgPool.ts';
export { MaxPool1d, MaxPool2d, type MaxPoolOptions } from './pooling/maxPool.ts';
export { GRU, type GRUOptions } from './recurrent/gru.ts';
export { GRUCell, type GRUCellOptions } from './recurrent/gruCell.ts';
export { LSTM, type LSTMOptions, type LSTMState } from './recurrent/lstm.ts';
export { LSTMCell, type LSTMCellOptions } from './recurrent/lstmCell.ts';
export { RNN, type RNNOptions } from './recurrent/rnn.ts';
export { RNNCell, type RNNCellOptions } from './recurrent/rnnCell.ts';
export type { KeyFormat, StateDictOptions } from './stateDict/keyFormat.ts';
export { type KeyAction, type KeyMapping, mappingText } from './stateDict/keyMapping.ts';
export { Upsample, type UpsampleMode, type UpsampleOptions } from './upsample.ts';
