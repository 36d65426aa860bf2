import type { DataType, Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { refusal } from '../core/errors.ts';
import { formatShape } from '../core/shapes.ts';
import { typeName } from '../core/text.ts';
import { disposeVariable, isVariable } from '../engine/variable.ts';
import { atSite } from '../parametrize/host/site.ts';

const caller = 'initialize';

/**
 * Gives a tensor of a host the value that an initializer makes. A parametrized tensor gets it through the right
 * inverses of its chain, so that its computed value is the initializer's, as far as the chain can take it.
 *
 * The functions of `nn.init` write into a variable, and refuse a computed tensor. Give them a new variable:
 * `(shape) => nn.init.kaimingUniform(nn.parameter(tf.zeros(shape)))`.
 *
 * @remarks
 * **State**: the originals of the tensor, or its variable, which stays the same object.
 * **Ownership**: the tensor, or new variable, that the initializer returns is consumed, as are all other tensors that
 * it makes.
 *
 * @param initializer - makes the value for a shape: `(shape) => tf.randomNormal(shape, 0, 0.05)`
 * @returns the host
 * @throws {@link ParametrizeError} `UNSUPPORTED_HOST`, `UNKNOWN_TENSOR`, `NOT_A_FUNCTION`; `NOT_A_VARIABLE`, `SHAPE` or
 * `DTYPE` for the result of the initializer; `RIGHT_INVERSE`. Nothing has changed then.
 * @example
 * ```ts
 * weightNorm(layer);
 * initialize(layer, 'weight', (shape) => tf.randomNormal(shape, 0, 0.05));
 * ```
 */
export function initialize<H extends object>(
  host: H,
  name: string,
  initializer: (shape: number[]) => Tensor,
): H {
  if (typeof initializer !== 'function') {
    throw refusal(
      'NOT_A_FUNCTION',
      caller,
      `the initializer is ${typeName(initializer)}`,
      'Pass a function of a shape: (shape) => tf.randomNormal(shape).',
    );
  }
  atSite(caller, host, name, (site) => {
    const list = site.registration?.list;
    const variable = list === undefined ? site.find(caller).variable : null;
    const { shape, dtype } = list ?? variable!;
    tf.tidy(() => {
      const { id: newest } = tf.scalar(0);
      const value: unknown = initializer([...shape]);
      try {
        checkValue(value, site.label, shape, dtype);
        if (list === undefined) variable!.assign(value);
        else list.assign(value);
      } finally {
        if (isVariable(value) && value.id > newest) disposeVariable(value);
      }
    });
  });
  return host;
}

function checkValue(
  value: unknown,
  label: string,
  shape: readonly number[],
  dtype: DataType,
): asserts value is Tensor {
  if (!(value instanceof tf.Tensor)) {
    throw refusal('NOT_A_VARIABLE', caller, `the initializer returned ${typeName(value)}, expected a tensor`);
  }
  if (!tf.util.arraysEqual(value.shape, [...shape])) {
    throw refusal(
      'SHAPE',
      caller,
      `the initializer returned shape ${formatShape(value.shape)}, ${label} has ${formatShape(shape)}`,
      'Use the shape that the initializer is given.',
    );
  }
  if (value.dtype === dtype) return;
  throw refusal(
    'DTYPE',
    caller,
    `the initializer returned dtype ${value.dtype}, ${label} has ${dtype}`,
    `Return a ${dtype} tensor.`,
  );
}
