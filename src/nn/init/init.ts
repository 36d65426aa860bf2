import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { checkNumber, checkOptions } from '../../core/checkOptions.ts';
import { refusal } from '../../core/errors.ts';
import { formatShape } from '../../core/shapes.ts';
import { typeName } from '../../core/text.ts';
import { isAlive, isVariable } from '../../engine/variable.ts';
import { type FanMode, kaimingStd, type Nonlinearity, xavierStd } from './fan.ts';
import { nextSeed, seedSequence } from './random.ts';
import { truncatedNormal } from './truncatedNormal.ts';

export { calculateFanInAndFanOut, calculateGain, type FanMode, type Nonlinearity } from './fan.ts';

// torch.nn.init: each function writes new values into a parameter in place and returns the parameter.

/** The option of all random initializations. */
export interface SeedOption {
  /** The seed of the values. By default they follow `manualSeed`, or are random without it. */
  readonly seed?: number;
}

/**
 * Draws from U(a, b).
 *
 * @throws {@link ParametrizeError} `NOT_A_VARIABLE` if the tensor is not a variable, `OPTION`
 * @see torch.nn.init.uniform_
 */
export function uniform<T extends Tensor>(
  tensor: T,
  options: { readonly a?: number; readonly b?: number } & SeedOption = {},
): T {
  checkOptions('init.uniform', options, ['a', 'b', 'seed']);
  const { a = 0, b = 1 } = options;
  checkNumber('init.uniform', 'a', a);
  checkNumber('init.uniform', 'b', b);
  return drawUniform('init.uniform', tensor, a, b, options);
}

/**
 * Draws from N(mean, std²).
 *
 * @throws {@link ParametrizeError} `NOT_A_VARIABLE`, `OPTION`
 * @see torch.nn.init.normal_
 */
export function normal<T extends Tensor>(
  tensor: T,
  options: { readonly mean?: number; readonly std?: number } & SeedOption = {},
): T {
  checkOptions('init.normal', options, ['mean', 'std', 'seed']);
  const { mean = 0, std = 1 } = options;
  checkNumber('init.normal', 'mean', mean);
  checkNumber('init.normal', 'std', std);
  return drawNormal('init.normal', tensor, mean, std, options);
}

/**
 * Draws from N(mean, std²), conditioned on [a, b]; a and b are values, not multiples of std.
 *
 * @throws {@link ParametrizeError} `NOT_A_VARIABLE`, `OPTION`
 * @see torch.nn.init.trunc_normal_
 */
export function truncNormal<T extends Tensor>(
  tensor: T,
  options: {
    readonly mean?: number;
    readonly std?: number;
    readonly a?: number;
    readonly b?: number;
  } & SeedOption = {},
): T {
  const caller = 'init.truncNormal';
  checkOptions(caller, options, ['mean', 'std', 'a', 'b', 'seed']);
  const { mean = 0, std = 1, a = -2, b = 2 } = options;
  for (const [name, value] of Object.entries({ mean, std, a, b })) checkNumber(caller, name, value);
  if (!(std > 0) || !(a < b)) {
    const fact = `std is ${std} and [a, b] is [${a}, ${b}], std must be positive and a less than b`;
    throw refusal('OPTION', caller, fact, 'Pass other values.');
  }
  return draw(caller, tensor, options, (seed) =>
    tf.tensor(truncatedNormal(tensor.size, { mean, std, a, b }, seed), tensor.shape),
  );
}

/**
 * Fills with one number.
 *
 * @throws {@link ParametrizeError} `NOT_A_VARIABLE`
 * @see torch.nn.init.constant_
 */
export function constant<T extends Tensor>(tensor: T, value: number): T {
  return fill('init.constant', tensor, value);
}

/**
 * Fills with ones.
 *
 * @throws {@link ParametrizeError} `NOT_A_VARIABLE`
 * @see torch.nn.init.ones_
 */
export function ones<T extends Tensor>(tensor: T): T {
  return fill('init.ones', tensor, 1);
}

/**
 * Fills with zeros.
 *
 * @throws {@link ParametrizeError} `NOT_A_VARIABLE`
 * @see torch.nn.init.zeros_
 */
export function zeros<T extends Tensor>(tensor: T): T {
  return fill('init.zeros', tensor, 0);
}

/**
 * Makes a matrix, square or not, the identity: ones on the diagonal, zeros elsewhere.
 *
 * @throws {@link ParametrizeError} `NOT_A_VARIABLE`, `SHAPE` if the tensor is not a matrix
 * @see torch.nn.init.eye_
 */
export function eye<T extends Tensor>(tensor: T): T {
  if (tensor.rank !== 2) {
    throw refusal(
      'SHAPE',
      'init.eye',
      `the tensor has shape ${formatShape(tensor.shape)}, it must be a matrix`,
      'Pass a tensor of rank 2.',
    );
  }
  const [rows, columns] = tensor.shape as [number, number];
  return write('init.eye', tensor, () => tf.cast(tf.eye(rows, columns), tensor.dtype));
}

/**
 * Draws from U(-a, a), `a = gain·√(6 / (fanIn + fanOut))`.
 *
 * @throws {@link ParametrizeError} `NOT_A_VARIABLE`, `SHAPE` if the rank is below 2, `OPTION`
 * @see Glorot and Bengio 2010. torch.nn.init.xavier_uniform_
 */
export function xavierUniform<T extends Tensor>(
  tensor: T,
  options: { readonly gain?: number } & SeedOption = {},
): T {
  checkOptions('init.xavierUniform', options, ['gain', 'seed']);
  const bound = Math.sqrt(3) * xavierStd('init.xavierUniform', tensor, options.gain);
  return drawUniform('init.xavierUniform', tensor, -bound, bound, options);
}

/**
 * Draws from N(0, std²), `std = gain·√(2 / (fanIn + fanOut))`.
 *
 * @throws {@link ParametrizeError} `NOT_A_VARIABLE`, `SHAPE` if the rank is below 2, `OPTION`
 * @see Glorot and Bengio 2010. torch.nn.init.xavier_normal_
 */
export function xavierNormal<T extends Tensor>(
  tensor: T,
  options: { readonly gain?: number } & SeedOption = {},
): T {
  checkOptions('init.xavierNormal', options, ['gain', 'seed']);
  const std = xavierStd('init.xavierNormal', tensor, options.gain);
  return drawNormal('init.xavierNormal', tensor, 0, std, options);
}

/** Options of {@link kaimingUniform} and {@link kaimingNormal}. */
export interface KaimingOptions extends SeedOption {
  /** The negative slope, with `nonlinearity: 'leakyRelu'`. Default 0. */
  readonly a?: number;
  /** The pass that keeps the variance. Default `'fanIn'`. */
  readonly mode?: FanMode;
  /** The activation after the layer. Default `'leakyRelu'`. */
  readonly nonlinearity?: Nonlinearity;
}

/**
 * Draws from U(-bound, bound), `bound = gain·√(3 / fan)`.
 *
 * @throws {@link ParametrizeError} `NOT_A_VARIABLE`, `SHAPE` if the rank is below 2, `OPTION`
 * @see He et al. 2015, arXiv:1502.01852. torch.nn.init.kaiming_uniform_
 */
export function kaimingUniform<T extends Tensor>(tensor: T, options: KaimingOptions = {}): T {
  checkOptions('init.kaimingUniform', options, ['a', 'mode', 'nonlinearity', 'seed']);
  const bound = Math.sqrt(3) * kaimingStd('init.kaimingUniform', tensor, options);
  return drawUniform('init.kaimingUniform', tensor, -bound, bound, options);
}

/**
 * Draws from N(0, std²), `std = gain / √fan`.
 *
 * @throws {@link ParametrizeError} `NOT_A_VARIABLE`, `SHAPE` if the rank is below 2, `OPTION`
 * @see He et al. 2015, arXiv:1502.01852. torch.nn.init.kaiming_normal_
 */
export function kaimingNormal<T extends Tensor>(tensor: T, options: KaimingOptions = {}): T {
  checkOptions('init.kaimingNormal', options, ['a', 'mode', 'nonlinearity', 'seed']);
  const std = kaimingStd('init.kaimingNormal', tensor, options);
  return drawNormal('init.kaimingNormal', tensor, 0, std, options);
}

const drawUniform = <T extends Tensor>(
  caller: string,
  tensor: T,
  a: number,
  b: number,
  options: SeedOption,
): T => draw(caller, tensor, options, (seed) => tf.randomUniform(tensor.shape, a, b, 'float32', seed));

const drawNormal = <T extends Tensor>(
  caller: string,
  tensor: T,
  mean: number,
  std: number,
  options: SeedOption,
): T => draw(caller, tensor, options, (seed) => tf.randomNormal(tensor.shape, mean, std, 'float32', seed));

const fill = <T extends Tensor>(caller: string, tensor: T, value: number): T =>
  write(caller, tensor, () => tf.fill(tensor.shape, value, tensor.dtype as 'float32'));

function draw<T extends Tensor>(
  caller: string,
  tensor: T,
  { seed }: SeedOption,
  make: (seed: number) => Tensor,
): T {
  if (tensor.dtype !== 'float32') {
    const fact = `the tensor has dtype ${tensor.dtype}, random numbers have float32`;
    throw refusal('DTYPE', caller, fact, 'Pass a float32 parameter.');
  }
  return write(caller, tensor, () =>
    make(nextSeed(seed === undefined ? undefined : seedSequence(caller, seed))),
  );
}

function write<T extends Tensor>(caller: string, tensor: T, make: () => Tensor): T {
  if (!isVariable(tensor)) {
    const shape =
      tensor instanceof tf.Tensor ? `a tensor of shape ${formatShape(tensor.shape)}` : typeName(tensor);
    throw refusal(
      'NOT_A_VARIABLE',
      caller,
      `${shape} is no variable, new values in it would be lost`,
      "A parametrized tensor is computed on every read. Give it values by initialize(module, 'weight', (shape) => tf.randomNormal(shape)), or by an assignment: module.weight = value.",
    );
  }
  if (!isAlive(tensor)) {
    throw refusal('DISPOSED', caller, 'the parameter has been disposed', 'Make a new module.');
  }
  tf.tidy(() => tensor.assign(make()));
  return tensor;
}
