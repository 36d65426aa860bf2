import type { Variable } from '@tensorflow/tfjs-core';
import { joinPath } from '../../core/paths.ts';
import { namedState } from '../../nn/module/fields.ts';
import { isBuffer } from '../../nn/module/parameter.ts';
import { hostKindOf } from '../../parametrize/host/objectHost.ts';
import { type FoundCandidate, tensorPath } from './candidate.ts';

/** One variable of a model: a tensor of a host, or a variable of the chain on one. */
export interface ModelVariable {
  readonly candidate: FoundCandidate;
  /** Its path: `encoder.0.bias`, `encoder.0.parametrizations.weight.original1`. */
  readonly key: string;
  readonly variable: Variable;
  /** Its name in the chain, such as `original1` or `0._u`; null for a tensor without a chain. */
  readonly name: string | null;
  /** True if training does not train it. */
  readonly isBuffer: boolean;
}

/** The variable of a tensor, or those of the chain on it. */
export function modelVariables(candidate: FoundCandidate): ModelVariable[] {
  const { host, path, tensor, list, variable } = candidate;
  if (list === null) {
    const isOwn = isBuffer(variable!) || hostKindOf(host).isBuffer?.(host, tensor) === true;
    return [{ candidate, key: tensorPath(candidate), variable: variable!, name: null, isBuffer: isOwn }];
  }
  return namedState(list).map(([name, own]) => ({
    candidate,
    key: joinPath(path, 'parametrizations', tensor, name),
    variable: own,
    name,
    isBuffer: isBuffer(own),
  }));
}
