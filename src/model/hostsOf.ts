import { Module } from '../nn/module.ts';
import { ParametrizationDict } from '../parametrize/parametrizationDict.ts';

/** The objects of a model that may hold parametrized tensors, with their paths. */
export function hostsOf(model: object): [string, object][] {
  return model instanceof Module ? model.namedModules() : [['', model]];
}

/** Like {@link hostsOf}, but for the hosts inside of parametrizations: they go when their tensor's parametrization goes. */
export function outerHostsOf(model: object): [string, object][] {
  if (!(model instanceof Module)) return [['', model]];
  const found = new Map<Module, string>();
  const walk = (module: Module, path: string): void => {
    if (found.has(module) || module instanceof ParametrizationDict) return;
    found.set(module, path);
    for (const [name, child] of module.namedChildren()) walk(child, path === '' ? name : `${path}.${name}`);
  };
  walk(model, '');
  return [...found].map(([module, path]) => [path, module]);
}
