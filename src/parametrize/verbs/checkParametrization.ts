import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { checkNotNegative, checkOptions } from '../../core/checkOptions.ts';
import { refusal } from '../../core/errors.ts';
import { hasGradients } from '../../engine/tape.ts';
import type { ParametrizationLike } from '../parametrization.ts';
import { isParametrized, parametrizationsOn, valueOf } from './isParametrized.ts';
import { registerParametrization } from './registerParametrization.ts';
import { removeParametrizations } from './removeParametrizations.ts';

const caller = 'checkParametrization';

/** Options of {@link checkParametrization}. */
export interface CheckOptions {
  /** The largest difference that counts as equal, relative to the largest element. Default 1e-3. */
  readonly tolerance?: number;
  /** True if the map may change the shape or dtype of the tensor. Default false. */
  readonly unsafe?: boolean;
}

/** The result of {@link checkParametrization}. */
export interface ParametrizationCheck {
  /** The shape of the value. */
  readonly shape: readonly number[];
  /** The number of originals of the map. */
  readonly originals: number;
  /** True if the map declares that it is pure. */
  readonly isPure: boolean;
  /** The largest change of the tensor at registration, relative to its largest element: 0 if the value is kept. */
  readonly change: number;
  /**
   * The largest difference between a value of the map and the value after its assignment, relative to the largest
   * element; null if the map cannot be assigned to.
   */
  readonly rightInverseError: number | null;
  /** The relative error of the gradient along a random direction; null if tfjs has no gradients. */
  readonly gradientError: number | null;
}

/**
 * Tests a map on a tensor: registers it on a temporary host, assigns, differentiates and removes it. Use it in the
 * tests of your own maps.
 *
 * It makes checks that are too slow for a registration. The value must be finite. A value of the map can be assigned
 * (`f(r(Y)) = Y` for `Y = f(r(W))`). A pure map must give one value. The gradient must agree with central differences.
 *
 * @remarks
 * **State**: buffers and parameters of a stateful map may change; the map belongs to the caller.
 *
 * @param map - the value to register
 * @param tensor - a shape, for which normal random numbers are drawn, or a tensor, which belongs to the caller
 * @returns the measurements
 * @throws {@link ParametrizeError} `NOT_FINITE`, `RIGHT_INVERSE`, `NOT_PURE`, `GRADIENT`, each with the numbers; and
 * the errors of {@link registerParametrization}
 * @example
 * ```ts
 * await checkParametrization(new Symmetric(), [3, 3]);
 * ```
 */
export async function checkParametrization(
  map: ParametrizationLike,
  tensor: readonly number[] | Tensor,
  options: CheckOptions = {},
): Promise<ParametrizationCheck> {
  checkOptions(caller, options, ['tolerance', 'unsafe']);
  const { tolerance = 1e-3, unsafe = false } = options;
  checkNotNegative(caller, 'tolerance', tolerance);
  const copies: Tensor[] = [];
  const hold = (make: () => Tensor): Tensor => {
    const held = tf.tidy(make);
    copies.push(held);
    return held;
  };
  const given = hold(() =>
    tensor instanceof tf.Tensor ? tf.clone(tensor) : tf.randomNormal([...tensor], 0, 1, 'float32', 1),
  );
  const host = { tensor: tf.variable(given) as Tensor };
  try {
    registerParametrization(host, 'tensor', map, { unsafe });
    const list = parametrizationsOn(host, 'tensor');
    const read = (): Tensor => hold(() => tf.clone(valueOf(host, 'tensor')));
    const value = read();
    await checkFinite(value);
    const isPure = list.isPure();
    if (isPure)
      await checkPure(
        value,
        hold(() => list.forward()),
      );
    const canAssign = list.steps[0]!.rightInverse !== null;
    const rightInverseError = canAssign ? await assigned(host, value, read, tolerance) : null;
    const gradientError =
      hasGradients() && value.dtype === 'float32'
        ? await gradientErrorOf(host, list.ownVariables(), isPure, tolerance)
        : null;
    const change = tf.util.arraysEqual(value.shape, given.shape) ? await difference(value, given) : Infinity;
    return {
      shape: value.shape,
      originals: list.originalNames.length,
      isPure,
      change,
      rightInverseError,
      gradientError,
    };
  } finally {
    if (isParametrized(host, 'tensor')) removeParametrizations(host, 'tensor');
    tf.dispose([host.tensor, ...copies]);
  }
}

async function assigned(
  host: { tensor: Tensor },
  value: Tensor,
  read: () => Tensor,
  tolerance: number,
): Promise<number> {
  host.tensor = value;
  const error = await difference(read(), value);
  if (error <= tolerance) return error;
  throw refusal(
    'RIGHT_INVERSE',
    caller,
    `the value that is read after an assignment differs from the assigned one by ${error.toPrecision(3)} of its largest element`,
    'rightInverse must return originals whose forward is the value.',
  );
}

async function checkFinite(value: Tensor): Promise<void> {
  const numbers = (await value.data()) as ArrayLike<number>;
  const odd = Array.prototype.filter.call(numbers, (x: number) => !Number.isFinite(x)).length;
  if (odd === 0) return;
  throw refusal(
    'NOT_FINITE',
    caller,
    `${odd} of the ${numbers.length} elements of the value are NaN or infinite`,
    'Check the domain of rightInverse and forward.',
  );
}

async function checkPure(value: Tensor, again: Tensor): Promise<void> {
  const error = await difference(again, value);
  if (error === 0) return;
  throw refusal(
    'NOT_PURE',
    caller,
    `the map says that it is pure, and two evaluations differ by ${error.toPrecision(3)} of the largest element`,
    'Return false from isPure, or draw no random numbers.',
  );
}

/** Compares the gradient of a random projection of the value along a random direction with its central difference. */
async function gradientErrorOf(
  host: { tensor: Tensor },
  originals: Variable[],
  isPure: boolean,
  tolerance: number,
): Promise<number | null> {
  const trained = originals.filter(({ dtype, trainable }) => dtype === 'float32' && trainable);
  if (!isPure || trained.length === 0) return null;
  const start = trained.map((variable) => tf.tidy(() => tf.clone(variable)));
  try {
    const results = tf.tidy(() => {
      const weights = tf.randomNormal(host.tensor.shape, 0, 1, 'float32', 2);
      const loss = (): tf.Scalar => tf.sum(tf.mul(valueOf(host, 'tensor'), weights));
      const { grads } = tf.variableGrads(loss, trained);
      const directions = trained.map(({ shape }, i) => tf.randomNormal(shape, 0, 1, 'float32', 3 + i));
      const analytic = tf.addN(trained.map(({ name }, i) => tf.sum(tf.mul(grads[name]!, directions[i]!))));
      const step = 1e-2;
      const at = (sign: number): Tensor => {
        trained.forEach((variable, i) => {
          variable.assign(tf.add(start[i]!, tf.mul(directions[i]!, sign * step)));
        });
        return loss();
      };
      const numeric = tf.div(tf.sub(at(1), at(-1)), 2 * step);
      const size = tf.sqrt(tf.addN(trained.map(({ name }) => tf.sum(tf.square(grads[name]!)))));
      return tf.stack([analytic, numeric, size]);
    });
    const [analytic, numeric, size] = (await results.data()) as Float32Array;
    results.dispose();
    const error = Math.abs(analytic! - numeric!) / Math.max(1, Math.abs(numeric!), size!);
    // A central difference in float32 has two right digits.
    if (error <= Math.max(tolerance, 3e-2)) return error;
    throw refusal(
      'GRADIENT',
      caller,
      `along a random direction the gradient is ${analytic!.toPrecision(4)}, the central difference ${numeric!.toPrecision(4)}`,
      'The gradient of forward is wrong, or forward is not smooth here.',
    );
  } finally {
    trained.forEach((variable, i) => {
      variable.assign(start[i]!);
    });
    tf.dispose(start);
  }
}

/** Returns the largest difference of two tensors, relative to the largest element. */
async function difference(a: Tensor, b: Tensor): Promise<number> {
  const result = tf.tidy(() => {
    const [x, y] = [tf.cast(a, 'float32'), tf.cast(b, 'float32')];
    const largest = tf.maximum(tf.max(tf.abs(y)), 1e-12);
    return tf.div(tf.max(tf.abs(tf.sub(x, y))), largest);
  });
  const [value] = (await result.data()) as Float32Array;
  result.dispose();
  return value!;
}
