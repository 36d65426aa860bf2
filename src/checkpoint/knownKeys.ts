import type { Module } from '../nn/module.ts';

/** The ends of the keys that a tensor may stand under, in one spelling or another. */
const suffixes = ['', '_g', '_v', '_orig', '_u'];
const modern = ['original', 'original0', 'original1', '0._u', '0._v', '0.base'];

/** Every key under which the state of a module may stand in a file, in any spelling. */
export function knownKeys(model: Module): Set<string> {
  const keys = new Set<string>();
  for (const key of Object.keys(model.stateDict())) {
    keys.add(key);
    const [prefix, name] = hostAndTensor(key);
    for (const suffix of suffixes) keys.add(`${prefix}${name}${suffix}`);
    for (const part of modern) keys.add(`${prefix}parametrizations.${name}.${part}`);
  }
  return keys;
}

/** The path of the module, with its dot, and the name of the tensor that a key is about. */
function hostAndTensor(key: string): [prefix: string, name: string] {
  const parametrized = /^(|.*?\.)parametrizations\.([^.]+)\./.exec(key);
  if (parametrized !== null) return [parametrized[1]!, parametrized[2]!];
  const [, prefix, name] = /^(|.*\.)([^.]*)$/s.exec(key) as unknown as [string, string, string];
  return [prefix, name.replace(/_(?:g|v|orig|u)$/, '')];
}
