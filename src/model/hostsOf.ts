import { Module } from '../nn/module.ts';

/** The objects of a model that may hold parametrized tensors, with their paths. */
export function hostsOf(model: object): [string, object][] {
  return model instanceof Module ? model.namedModules() : [['', model]];
}
