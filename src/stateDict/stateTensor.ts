import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import { ParametrizeError } from '../core/errors.ts';
import { joinPath } from '../core/paths.ts';
import { scoped } from '../engine/scope.ts';
import { isAlive } from '../engine/variable.ts';
import { registrationOf } from '../parametrize/chain/registry.ts';
import type { Layout } from './layout.ts';
import type { StateEntry, StatePart } from './stateView.ts';

/** A tensor of a model that is not a module. */
export interface StateTensor extends StateEntry {
  /** The host that it can be parametrized on. */
  readonly host: object;
  /** The path of the host in the model. */
  readonly hostPath: string;
  /** Its name in the host. */
  readonly name: string;
  /** The same object for tensors that are one. */
  readonly identity: object;
  /** The variable that it is, unless it is parametrized. */
  variable(): Variable;
  /** Its layout in torch; null for a tensor that torch does not have. */
  readonly layout: Layout | null;
  /** True if it is a buffer in torch. */
  readonly isBuffer?: boolean;
}

/**
 * Returns the variable of a tensor that is not parametrized.
 *
 * @throws {@link ParametrizeError} `DISPOSED`
 */
export function variableOf({ variable, path }: StateTensor): Variable {
  const found = variable();
  if (isAlive(found)) return found;
  throw new ParametrizeError('DISPOSED', {
    fact: `'${path}' has been disposed`,
    remedy: 'Make a new model, or dispose it later.',
  });
}

/** Returns the value of a tensor: the variable, or for a parametrized tensor a tensor of the innermost tidy. */
export function currentValue(tensor: StateTensor): Tensor {
  const registration = registrationOf(tensor.host, tensor.name);
  if (registration === undefined) return variableOf(tensor);
  return scoped('currentValue', () => registration.list.inspect());
}

/** Returns the plain key of a tensor: torch's, or that of the model for a tensor that torch does not have. */
export const keyOf = ({ torchNames, layout, path }: StateTensor, part: StatePart): string =>
  layout === null || torchNames.length === 0 ? path : joinPath(part.path, torchNames[0]!);

/** Returns the key of a variable of a chain, with the path that the model's framework gives the tensor. */
export const nativeKey = ({ hostPath, name }: StateTensor, key: string): string =>
  joinPath(hostPath, `parametrizations.${name}.${key}`);
