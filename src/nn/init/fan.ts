import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { checkChoice, checkNumber } from '../../core/checkOptions.ts';
import { refusal } from '../../core/errors.ts';
import { formatShape } from '../../core/shapes.ts';

/** The activation functions of {@link calculateGain}. */
export type Nonlinearity = (typeof nonlinearities)[number];

const nonlinearities = [
  'linear',
  'conv1d',
  'conv2d',
  'conv3d',
  'convTranspose1d',
  'convTranspose2d',
  'convTranspose3d',
  'sigmoid',
  'tanh',
  'relu',
  'leakyRelu',
  'selu',
] as const;

/** The pass that keeps the variance: the forward pass (`'fanIn'`) or the backward pass (`'fanOut'`). */
export type FanMode = 'fanIn' | 'fanOut';

/**
 * Returns the factor that compensates for the change of the standard deviation by an activation function.
 *
 * `1` for linear maps and sigmoid, `5/3` for tanh, `√2` for relu, `√(2 / (1 + slope²))` for leakyRelu, `3/4` for selu
 *
 * @param slope - the negative slope of leakyRelu
 * @throws {@link ParametrizeError} `OPTION` if the nonlinearity is unknown
 * @see torch.nn.init.calculate_gain
 */
export function calculateGain(nonlinearity: Nonlinearity, slope = 0.01): number {
  checkChoice('init.calculateGain', 'nonlinearity', nonlinearity, nonlinearities);
  checkNumber('init.calculateGain', 'slope', slope);
  if (nonlinearity === 'tanh') return 5 / 3;
  if (nonlinearity === 'relu') return Math.SQRT2;
  if (nonlinearity === 'leakyRelu') return Math.sqrt(2 / (1 + slope ** 2));
  return nonlinearity === 'selu' ? 3 / 4 : 1;
}

/**
 * Returns the number of inputs of an output and the number of outputs of an input, for a weight in torch's layout
 * `[out, in, …kernel]`.
 *
 * @throws {@link ParametrizeError} `SHAPE` if the rank is below 2
 * @see torch.nn.init._calculate_fan_in_and_fan_out
 */
export function calculateFanInAndFanOut(tensor: Tensor): [fanIn: number, fanOut: number] {
  return fans('init.calculateFanInAndFanOut', tensor);
}

/** `gain·√(2 / (fanIn + fanOut))` */
export function xavierStd(caller: string, tensor: Tensor, gain = 1): number {
  checkNumber(caller, 'gain', gain);
  const [fanIn, fanOut] = fans(caller, tensor);
  return gain * Math.sqrt(2 / (fanIn + fanOut));
}

/** `gain / √fan` */
export function kaimingStd(
  caller: string,
  tensor: Tensor,
  options: { readonly a?: number; readonly mode?: FanMode; readonly nonlinearity?: Nonlinearity },
): number {
  const { a = 0, mode = 'fanIn', nonlinearity = 'leakyRelu' } = options;
  checkNumber(caller, 'a', a);
  checkChoice(caller, 'mode', mode, ['fanIn', 'fanOut']);
  checkChoice(caller, 'nonlinearity', nonlinearity, nonlinearities);
  const [fanIn, fanOut] = fans(caller, tensor);
  return calculateGain(nonlinearity, a) / Math.sqrt(mode === 'fanIn' ? fanIn : fanOut);
}

function fans(caller: string, tensor: Tensor): [fanIn: number, fanOut: number] {
  const [out, into, ...kernel] = tensor.shape;
  if (out === undefined || into === undefined) {
    throw refusal(
      'SHAPE',
      caller,
      `the tensor has shape ${formatShape(tensor.shape)}, fan in and fan out need a rank of at least 2`,
      'Initialize biases with init.zeros or init.uniform.',
    );
  }
  const field = tf.util.sizeFromShape(kernel);
  return [into * field, out * field];
}
