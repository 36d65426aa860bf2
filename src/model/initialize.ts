import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { refusal } from '../core/errors.ts';
import { formatShape } from '../core/shapes.ts';
import { typeName } from '../core/text.ts';
import { atSite } from '../parametrize/host/site.ts';

/**
 * Gives a tensor of a host the value that an initializer makes. A parametrized tensor gets it through the right
 * inverses of its chain, so that its computed value is the initializer's, as far as the chain can take it.
 *
 * The functions of `nn.init` write into the tensor that they are given. A computed tensor is a temporary one: what they
 * write there is lost.
 *
 * @remarks
 * **State**: the originals of the tensor, or its variable, which stays the same object.
 * **Ownership**: the tensor that the initializer returns is consumed, as are all others that it makes.
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
  const caller = 'initialize';
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
      const value: unknown = initializer([...shape]);
      if (!(value instanceof tf.Tensor)) {
        throw refusal(
          'NOT_A_VARIABLE',
          caller,
          `the initializer returned ${typeName(value)}, expected a tensor`,
        );
      }
      if (!tf.util.arraysEqual(value.shape, [...shape])) {
        throw refusal(
          'SHAPE',
          caller,
          `the initializer returned shape ${formatShape(value.shape)}, ${site.label} has ${formatShape(shape)}`,
          'Use the shape that the initializer is given.',
        );
      }
      if (value.dtype !== dtype) {
        throw refusal(
          'DTYPE',
          caller,
          `the initializer returned dtype ${value.dtype}, ${site.label} has ${dtype}`,
          `Return a ${dtype} tensor.`,
        );
      }
      if (list === undefined) variable!.assign(value);
      else list.assign(value);
    });
  });
  return host;
}
