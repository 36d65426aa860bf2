import * as tf from '@tensorflow/tfjs-core';
import { refusal } from '../../core/errors.ts';
import { formatShape } from '../../core/shapes.ts';
import { typeName } from '../../core/text.ts';
import { isVariable, makeVariable } from '../../engine/variable.ts';

const BUFFER: unique symbol = Symbol.for('tfjs-parametrize.buffer') as never;

/**
 * Makes a trainable variable. In a field of a {@link Module}, it is a parameter of the module.
 *
 * @remarks
 * **Shape**: the shape of the value.
 * **Ownership**: a tensor argument is consumed (disposed) unless it is a variable. The tensors that a function argument
 * makes are disposed. The new variable belongs to the module that holds it, and `module.dispose()` frees it.
 *
 * @param value - the initial value, or a function that makes it
 * @throws {@link ParametrizeError} `NOT_A_VARIABLE` if the value is not a tensor, `DISPOSED` if it has been disposed
 * @example
 * ```ts
 * class Scale extends Module {
 *   weight: Tensor = parameter(() => tf.ones([3]));
 *   forward(x: Tensor): Tensor { return tf.mul(x, this.weight); }
 * }
 * ```
 * @see torch.nn.Parameter
 */
export function parameter(value: tf.Tensor | (() => tf.Tensor)): tf.Variable {
  return consume('parameter', value, true);
}

/**
 * Makes a variable that is saved with the module but not trained, such as running statistics, masks and power-iteration
 * vectors.
 *
 * A buffer has a mark, which does not depend on `trainable`. A frozen parameter stays a parameter.
 *
 * @remarks
 * **Ownership**: the same as for {@link parameter}.
 *
 * @param value - the initial value, or a function that makes it
 * @throws {@link ParametrizeError} `NOT_A_VARIABLE` if the value is not a tensor, `DISPOSED` if it has been disposed
 * @see torch.nn.Module.register_buffer
 */
export function buffer(value: tf.Tensor | (() => tf.Tensor)): tf.Variable {
  return markBuffer(consume('buffer', value, false));
}

/** Marks a variable as a buffer; returns it. */
export function markBuffer(variable: tf.Variable): tf.Variable {
  Object.defineProperty(variable, BUFFER, { value: true, configurable: true });
  return variable;
}

/** True if the variable was made by {@link buffer}. */
export const isBuffer = (variable: tf.Variable): boolean => BUFFER in variable;

function consume(caller: string, value: tf.Tensor | (() => tf.Tensor), trainable: boolean): tf.Variable {
  return tf.tidy(() => {
    const tensor = typeof value === 'function' ? value() : value;
    if (!(tensor instanceof tf.Tensor)) {
      throw refusal(
        'NOT_A_VARIABLE',
        caller,
        `the value must be a tensor or a function that makes one, got ${typeName(tensor)}`,
      );
    }
    if (tensor.isDisposed) {
      throw refusal(
        'DISPOSED',
        caller,
        `the value, of shape ${formatShape(tensor.shape)}, has been disposed`,
        'Pass a live tensor.',
      );
    }
    const variable = makeVariable(tensor, trainable);
    if (!isVariable(tensor)) tensor.dispose();
    return variable;
  });
}
