import { joinPath } from '../core/paths.ts';
import { isModule } from '../nn/module/fields.ts';
import { checkIntegrity } from '../nn/module/integrityCheck.ts';
import type { Module } from '../nn/module/module.ts';
import { HOLDS_COMPUTATIONS } from '../nn/module/normalizedTensor.ts';
import { rawOf } from '../nn/module/rawOf.ts';
import { registrationsOf } from '../parametrize/chain/registry.ts';
import { addedHostKindOf } from '../parametrize/host/hostKind.ts';

/** Returns the objects of a model that may hold parametrized tensors, with their paths. */
export function hostsOf(model: object): [path: string, host: object][] {
  if (isModule(model)) return model.namedModules();
  return otherHostsOf(model).flatMap(([path, host]): [string, object][] => [
    [path, host],
    // Originals and tensors of parametrizations may be parametrized themselves.
    ...[...registrationsOf(host)].flatMap(([name, { list }]) =>
      list
        .namedModules()
        .map(([key, module]): [string, object] => [joinPath(path, 'parametrizations', name, key), module]),
    ),
  ]);
}

/**
 * Returns the same as {@link hostsOf} without the hosts inside of parametrizations, which are removed with their
 * parametrization.
 */
export function outerHostsOf(model: object): [path: string, host: object][] {
  if (!isModule(model)) return otherHostsOf(model);
  const found = new Map<Module, string>();
  const walk = (module: Module, path: string): void => {
    if (found.has(module) || HOLDS_COMPUTATIONS in module) return;
    found.set(module, path);
    for (const [name, child] of module.namedChildren()) walk(child, joinPath(path, name));
  };
  walk(rawOf(model), '');
  return [...found].map(([module, path]) => [path, module]);
}

/** Returns an object and the objects below it that its kind of host lists. */
function otherHostsOf(model: object): [path: string, host: object][] {
  const found = new Map<object, string>();
  const walk = (host: object, path: string): void => {
    if (found.has(rawOf(host))) return;
    checkIntegrity(host);
    found.set(rawOf(host), path);
    for (const [name, child] of addedHostKindOf(host)?.children?.(host) ?? [])
      walk(child, joinPath(path, name));
  };
  walk(model, '');
  return [...found].map(([host, path]) => [path, host]);
}
