export { AdaptiveAvgPool1d, AdaptiveAvgPool2d } from './adaptiveAvgPool.ts';
export { AvgPool1d, type AvgPool1dOptions, AvgPool2d, type AvgPool2dOptions } from './avgPool.ts';
export { BatchNorm1d, BatchNorm2d, type BatchNormOptions } from './batchNorm.ts';
export { Bilinear, type BilinearOptions } from './bilinear.ts';
export type { NamedModules } from './childNames.ts';
export { ConstantPad1d, ConstantPad2d, ZeroPad1d, ZeroPad2d } from './constantPad.ts';
export { ModuleDict, ModuleList, ModuleSequence, Sequential } from './containers.ts';
export { Conv1d, type Conv1dOptions } from './conv1d.ts';
export { Conv2d, type Conv2dOptions } from './conv2d.ts';
export { Conv3d, type Conv3dOptions } from './conv3d.ts';
export { ConvTranspose1d, type ConvTranspose1dOptions } from './convTranspose1d.ts';
export { ConvTranspose2d, type ConvTranspose2dOptions } from './convTranspose2d.ts';
export { ConvTranspose3d, type ConvTranspose3dOptions } from './convTranspose3d.ts';
export { Dropout, Dropout1d, Dropout2d, type DropoutOptions } from './dropout.ts';
export { CELU, ELU, SELU } from './elu.ts';
export { Embedding, type EmbeddingOptions, type PretrainedOptions } from './embedding.ts';
export { Flatten } from './flatten.ts';
export { GELU, type GELUOptions } from './gelu.ts';
export { GLU } from './glu.ts';
export { GroupNorm, type GroupNormOptions } from './groupNorm.ts';
export { GRU, type GRUOptions } from './gru.ts';
export { Hardsigmoid, Hardswish, Hardtanh, ReLU6 } from './hardtanh.ts';
export type {
  ForwardHook,
  ForwardPreHook,
  HookHandle,
  KeyMapping,
  LoadStateDictPreHook,
  LoadStateDictReport,
  StateDict,
  StateDictLoading,
} from './hooks.ts';
export { Identity } from './identity.ts';
export * as init from './init.ts';
export { InstanceNorm1d, InstanceNorm2d, type InstanceNormOptions } from './instanceNorm.ts';
export { LayerNorm, type LayerNormOptions } from './layerNorm.ts';
export { Linear, type LinearOptions } from './linear.ts';
export { type LoadStateDictOptions, StateDictError } from './loadStateDict.ts';
export { LSTM, type LSTMOptions, type LSTMState } from './lstm.ts';
export { MaxPool1d, MaxPool2d, type MaxPoolOptions } from './maxPool.ts';
export { Module, type Parametrizations } from './module.ts';
export { buffer, parameter } from './parameter.ts';
export { type NamedParameters, ParameterDict } from './parameterDict.ts';
export { ParameterList } from './parameterList.ts';
export { PReLU } from './prelu.ts';
export { manualSeed } from './random.ts';
export { LeakyReLU, ReLU, Threshold } from './relu.ts';
export { RNN, type RNNOptions } from './rnn.ts';
export {
  CircularPad1d,
  CircularPad2d,
  ReflectionPad1d,
  ReflectionPad2d,
  ReplicationPad1d,
  ReplicationPad2d,
} from './selfPad.ts';
export { Hardshrink, Softshrink, Tanhshrink } from './shrink.ts';
export { Sigmoid, Softsign, Tanh } from './sigmoid.ts';
export { Mish, SiLU } from './silu.ts';
export { LogSoftmax, Softmax } from './softmax.ts';
export { LogSigmoid, Softplus } from './softplus.ts';
export type { Spelling, StateDictOptions } from './spelling.ts';
export { Unflatten } from './unflatten.ts';
export { Upsample, type UpsampleMode, type UpsampleOptions } from './upsample.ts';
