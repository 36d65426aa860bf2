import type { NamedTensorMap, Tensor } from '@tensorflow/tfjs-core';
import { checkOptions } from '../../../core/checkOptions.ts';
import type { ParametrizeError } from '../../../core/errors.ts';
import { named } from '../../checkpointError.ts';
import { plainBytes, readNow } from '../../source/reading.ts';
import type { ParsedTensor } from '../parsedCheckpoint.ts';
import { readTensors } from '../readTensors.ts';
import { isTensor } from './namedTensors.ts';
import { parseTorch } from './parseTorch.ts';
import { PythonObject } from './pythonObject.ts';
import { checkTorchOptions, type TorchOptions } from './torchOptions.ts';

/** The result of {@link readTorch}. */
export interface TorchCheckpoint {
  /**
   * The tensors by their paths, such as `state_dict.0.weight`: the keys of dicts and the indices of lists. Tied tensors
   * are one tensor. The map has no prototype.
   */
  readonly tensors: NamedTensorMap;
  /**
   * The saved object: dicts as `Map`s, lists and tuples as arrays, sets as `Set`s, bytes as `Uint8Array`s, integers
   * above 2⁵³ as bigints, element types and devices as texts, objects of other classes as {@link PythonObject}. It has
   * the tensors of {@link tensors}, and null for a tensor of a module that is not in its state.
   */
  readonly object: unknown;
  /**
   * The names of the classes and functions of Python in the object. Nothing of them is run; each is a
   * {@link PythonObject}.
   */
  readonly placeholders: readonly string[];
}

/**
 * Reads a file of `torch.save` that is in memory: `.pt`, `.pth` or `.ckpt`, in the container of version 1.6 or the
 * older one, with pickle protocols 2 to 5. Nothing in the file is run. An object that is neither a tensor nor plain
 * data becomes an inert record with the name of its class.
 *
 * Element types are converted as by `readSafetensors`. Strides are resolved. Views of the same elements are one tensor.
 *
 * @remarks
 * **Ownership**: the tensors belong to the caller. On backends that keep arrays (cpu), they share the memory of
 * `bytes`, so do not write to it afterwards.
 *
 * @throws {@link CheckpointError} `NOT_A_CHECKPOINT`, `CORRUPT`, `UNSAFE`, `DTYPE` and the other codes of files
 * @throws {@link ParametrizeError} `OPTION`
 * @example
 * ```ts
 * const { tensors, object } = readTorch(new Uint8Array(await file.arrayBuffer()));
 * (object as Map<string, unknown>).get('epoch');
 * ```
 * @see torch.load
 */
export function readTorch(bytes: Uint8Array | ArrayBuffer, options: TorchOptions = {}): TorchCheckpoint {
  checkOptions('readTorch', options, ['checkCrc']);
  checkTorchOptions('readTorch', options);
  try {
    const file = plainBytes(bytes);
    const parsed = readNow(parseTorch(file.length, options), file);
    const tensors = readTensors(parsed, file);
    const byIdentity = new Map([...parsed.tensors].map(([name, { identity }]) => [identity, tensors[name]!]));
    const object = withTensors(parsed.object, ({ identity }) => byIdentity.get(identity) ?? null);
    return { tensors, object, placeholders: parsed.placeholders };
  } catch (error) {
    throw named('readTorch', error);
  }
}

/** Replaces parsed tensors by tensors inside of the containers. Each container is visited once. */
function withTensors(root: unknown, tensorFor: (parsed: ParsedTensor) => Tensor | null): unknown {
  const seen = new Set<object>();
  const replaced = (value: unknown): unknown => {
    if (isTensor(value)) return tensorFor(value);
    if (typeof value === 'object' && value !== null) seen.add(value);
    return value;
  };
  const top = replaced(root);
  for (const container of seen) {
    if (container instanceof PythonObject) {
      container.state = replaced(container.state);
      for (const part of [container.args, container.entries, container.items]) replaced(part);
    } else if (container instanceof Map) {
      for (const [key, value] of container) container.set(key, replaced(value));
    } else if (Array.isArray(container)) {
      for (const [i, value] of container.entries()) container[i] = replaced(value);
    }
  }
  return top;
}
