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
export { StateDictError } from './loadStateDict.ts';
export { type LoadStateDictOptions, Module, type Parametrizations } from './module.ts';
export { buffer, parameter } from './parameter.ts';
