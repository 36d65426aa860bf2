export { ELU, LeakyReLU, ReLU, Sigmoid, SiLU, Softplus, Tanh } from './activations.ts';
export type { NamedModules } from './childNames.ts';
export { ModuleDict, ModuleList, ModuleSequence, Sequential } from './containers.ts';
export { Conv1d, type Conv1dOptions } from './conv1d.ts';
export { Conv2d, type Conv2dOptions } from './conv2d.ts';
export { Dropout, type DropoutOptions } from './dropout.ts';
export { Embedding } from './embedding.ts';
export { Flatten } from './flatten.ts';
export { GELU, type GELUOptions } from './gelu.ts';
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
export * as init from './init.ts';
export { Linear, type LinearOptions } from './linear.ts';
export { StateDictError } from './loadStateDict.ts';
export { LSTM, type LSTMOptions, type LSTMState } from './lstm.ts';
export { type LoadStateDictOptions, Module, type Parametrizations } from './module.ts';
export { buffer, parameter } from './parameter.ts';
export { manualSeed } from './random.ts';
export { LogSoftmax, Softmax } from './softmax.ts';
