import { formsOf, type KeyForm, type TensorKey, TiedKeys } from '../stateDict/tiedKeys.ts';
import { everyPath, namedState } from './fields.ts';
import type { Module } from './module.ts';
import { tieStateOrNull } from './tieState.ts';

/** Returns the tied keys of a module and all below. */
export function tiedKeysOf(root: Module): TiedKeys {
  const paths = new Map<string, string>();
  const first = new Map<Module, string>();
  for (const [prefix, module] of everyPath(root)) {
    const other = first.get(module);
    if (other === undefined) first.set(module, prefix);
    else paths.set(prefix, other);
  }
  const pathsOnly = new TiedKeys({ paths, tensors: new Map() });
  const tensors = tiedTensors(root, pathsOnly);
  const ties = tieStateOrNull();
  for (const [key, source] of ties?.keysOf(first) ?? []) tensors.set(key, source);
  return new TiedKeys({ paths, tensors, converted: ties?.transposed(first) ?? [] });
}

/** Returns the tensors of different modules with the same variables. */
function tiedTensors(root: Module, paths: TiedKeys): Map<string, TensorKey> {
  const state = namedState(root).filter(([key]) => paths.firstOf(key) === key);
  if (new Set(state.map(([, variable]) => variable)).size === state.length) return new Map();
  const tensors = new Map<string, { key: TensorKey; variables: string[] }>();
  for (const [key, variable] of state) {
    // In the state of a module, only the modern key format has parts.
    const [plain, modern] = formsOf(key) as [KeyForm, KeyForm | undefined];
    const form = key.includes('parametrizations.') ? (modern ?? plain) : plain;
    const { prefix, name } = form;
    const known = tensors.get(prefix + name);
    const part = `${form.keyOf({ prefix: '', name: '' })}:${variable.id}`;
    if (known === undefined) tensors.set(prefix + name, { key: { prefix, name }, variables: [part] });
    else known.variables.push(part);
  }
  const tied = new Map<string, TensorKey>();
  const firsts = new Map<string, TensorKey>();
  for (const [id, { key, variables }] of tensors) {
    const identity = variables.join();
    const first = firsts.get(identity);
    if (first === undefined) firsts.set(identity, key);
    else tied.set(id, first);
  }
  return tied;
}
