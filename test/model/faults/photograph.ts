import * as tf from '@tensorflow/tfjs-core';
import { isBuffer } from '../../../src/nn/module/parameter.ts';
import { registrationsOf } from '../../../src/parametrize/chain/registry.ts';

const numbers = new WeakMap<object, number>();
let count = 0;

/** A number for each object, so that objects are compared by identity. Other values stand for themselves. */
function identity(value: unknown): unknown {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return value;
  if (!numbers.has(value)) numbers.set(value, ++count);
  return `#${numbers.get(value)}`;
}

/** What `describe` counts; a call that fails may have read. */
const counters = ['evaluations', 'reads'];

/** Facts about objects by name: `Linear #12.weight`. */
export type Photograph = ReadonlyMap<string, unknown>;

/**
 * All that can be seen of the objects below some roots: keys, descriptors, elements, variables with their numbers,
 * registrations; and of tfjs: its variables in order, memory and scopes.
 */
export function photograph(...roots: readonly object[]): Photograph {
  const facts = new Map<string, unknown>();
  const engine = tf.engine();
  const scopes = (engine.state as unknown as { scopeStack: unknown[] }).scopeStack.length;
  facts.set('variables of tfjs', Object.keys(engine.registeredVariables).join(' '));
  facts.set('tensors', tf.memory().numTensors);
  facts.set('bytes', tf.memory().numBytes);
  facts.set('scopes', scopes);
  facts.set('assign', identity(tf.Variable.prototype.assign));
  const seen = new Set<object>();
  const waiting: object[] = [...roots];
  const reach = (value: unknown): void => {
    if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return;
    if (seen.has(value) || ArrayBuffer.isView(value)) return;
    seen.add(value);
    waiting.push(value);
  };
  for (let object = waiting.pop(); object !== undefined; object = waiting.pop()) {
    seen.add(object);
    const label = `${object.constructor?.name} ${identity(object)}`;
    if (object instanceof tf.Tensor) {
      noteTensor(facts, label, object);
      continue;
    }
    if (object instanceof Map || object instanceof Set) {
      for (const [i, entry] of [...object].flat().entries()) {
        facts.set(`${label}[${i}]`, identity(entry));
        reach(entry);
      }
    }
    for (const [name, { list }] of registrationsOf(object)) {
      facts.set(`${label} registration ${name}`, identity(list));
      reach(list);
    }
    const keys = Reflect.ownKeys(object).filter((key) => !counters.includes(String(key)));
    facts.set(`${label} keys`, keys.map(String).join(' '));
    for (const key of keys) {
      const { value, get, set, enumerable, writable, configurable } = Object.getOwnPropertyDescriptor(
        object,
        key,
      )!;
      // Functions of the language and of tfjs do not change.
      if (typeof object === 'function' && (key === 'prototype' || key === 'arguments' || key === 'caller'))
        continue;
      const parts = [value, get, set].map(identity);
      facts.set(`${label}.${String(key)}`, [...parts, enumerable, writable, configurable].join(' '));
      reach(value);
    }
  }
  return facts;
}

function noteTensor(facts: Map<string, unknown>, label: string, tensor: tf.Tensor): void {
  facts.set(`${label} is disposed`, tensor.isDisposed);
  if (tensor.isDisposed) return;
  facts.set(`${label} shape`, `${tensor.dtype} ${tensor.shape}`);
  if (tensor instanceof tf.Variable) {
    facts.set(`${label} name`, tensor.name);
    facts.set(`${label} trainable`, tensor.trainable);
    facts.set(`${label} is a buffer`, isBuffer(tensor));
  }
  facts.set(`${label} numbers`, tensor.dataSync().join(' '));
}

/** Returns the first facts that differ, as text. */
export function differences(before: Photograph, after: Photograph): string[] {
  const found: string[] = [];
  for (const [key, value] of before) {
    if (!after.has(key)) found.push(`${key} was ${value}, and is gone`);
    else if (after.get(key) !== value) found.push(`${key} was ${value}, and is ${after.get(key)}`);
  }
  for (const [key, value] of after) if (!before.has(key)) found.push(`${key} is new: ${value}`);
  return found.slice(0, 12).map((text) => (text.length > 300 ? `${text.slice(0, 300)} …` : text));
}
