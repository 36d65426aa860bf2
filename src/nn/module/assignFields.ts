import type { Tensor } from '@tensorflow/tfjs-core';
import { allOrNone } from '../../engine/assignments.ts';
import { isVariable } from '../../engine/variable.ts';
import type { Module } from './module.ts';

/**
 * Writes tensors of a module, all or none, into the variables in its fields or through the setters of computed fields.
 * Modules write their buffers this way.
 *
 * @param values - the values by the names of the fields; they belong to the caller
 * @throws the error of a setter; nothing changes then
 */
export function assignFields(module: Module, values: Readonly<Record<string, Tensor>>): void {
  const writes = Object.entries(values).map(([name, value]) => {
    const field: unknown = Object.getOwnPropertyDescriptor(module, name)?.value;
    return isVariable(field) ? () => field.assign(value) : () => void Reflect.set(module, name, value);
  });
  allOrNone(writes);
}
