import type { DataType, Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { type ParametrizeError, refusal } from '../../core/errors.ts';
import { formatShape } from '../../core/shapes.ts';
import { typeName } from '../../core/text.ts';
import { alias } from '../../engine/scope.ts';
import type { ChainStep } from './chainStep.ts';
import type { OriginalName } from './listParts.ts';

/** The shape and dtype that a tensor must have. */
export interface TensorSpec {
  readonly shape: readonly number[];
  readonly dtype: DataType;
}

/** The shape and dtype of a tensor. */
export const specOf = ({ shape, dtype }: TensorSpec): TensorSpec => ({ shape: [...shape], dtype });

/** True for tensors of one shape and dtype. */
export const isLike = (a: TensorSpec, b: TensorSpec): boolean =>
  a.dtype === b.dtype && tf.util.arraysEqual(a.shape as number[], b.shape as number[]);

/**
 * Runs a value back through the right inverses of a chain. A step without one gives the value on.
 *
 * @returns the originals: the value itself if there are no steps
 * @throws as {@link invertFirst} and {@link invertLater}
 */
export function invertSteps(caller: string, steps: readonly ChainStep[], value: Tensor): Tensor | Tensor[] {
  const [first, ...later] = steps;
  if (first === undefined) return value;
  // An alias protects the caller's tensor from a right inverse that disposes it.
  const image = later.reduceRight((current, step) => invertLater(caller, step, current), alias(value));
  return invertFirst(caller, first, image);
}

/**
 * Throws if one of these steps has no right inverse.
 *
 * @throws {@link ParametrizeError} `RIGHT_INVERSE`
 */
export function checkInvertible(caller: string, steps: readonly ChainStep[], remedy: string): void {
  const step = steps.find(({ rightInverse }) => rightInverse === null);
  if (step === undefined) return;
  throw refusal('RIGHT_INVERSE', caller, `${stepName(step)} has no rightInverse`, remedy);
}

/** The names of originals: an array that a right inverse returns makes numbered ones. */
export const originalNamesFor = (originals: Tensor | readonly Tensor[]): OriginalName[] =>
  Array.isArray(originals) ? originals.map((_, i): OriginalName => `original${i}`) : ['original'];

/**
 * Runs the right inverse of the first step of a chain. Only the first step may give several originals.
 *
 * @throws {@link ParametrizeError} `RIGHT_INVERSE` if it returns neither a tensor nor a non-empty array of tensors
 */
export function invertFirst(caller: string, step: ChainStep, value: Tensor): Tensor | Tensor[] {
  const result = step.rightInverse === null ? value : step.rightInverse(value);
  if (isTensor(result)) return result;
  if (!Array.isArray(result)) {
    throw wrong(caller, step, `must return a tensor or an array of tensors, got ${describeValue(result)}`);
  }
  if (result.length === 0) throw wrong(caller, step, 'returned an empty array: there would be no originals');
  const odd = result.findIndex((item) => !isTensor(item));
  if (odd >= 0) {
    throw wrong(caller, step, `must return tensors only, got ${describeValue(result[odd])} at index ${odd}`);
  }
  return result as Tensor[];
}

/**
 * Runs the right inverse of a later step of a chain.
 *
 * @throws {@link ParametrizeError} `RIGHT_INVERSE` if it does not return a tensor
 */
export function invertLater(caller: string, step: ChainStep, value: Tensor): Tensor {
  const result = step.rightInverse === null ? value : step.rightInverse(value);
  if (isTensor(result)) return result;
  const array = Array.isArray(result)
    ? 'an array; only the first parametrization of a tensor may have several originals'
    : describeValue(result);
  throw wrong(caller, step, `must return a tensor, got ${array}`);
}

/** Throws unless a tensor has the expected dtype and shape. The message begins with `what`. */
export function checkSpec(
  caller: string,
  what: string,
  got: TensorSpec,
  wanted: TensorSpec,
  remedy: string,
): void {
  if (got.dtype !== wanted.dtype) {
    throw refusal('DTYPE', caller, `${what} has dtype ${got.dtype}, expected ${wanted.dtype}`, remedy);
  }
  if (!tf.util.arraysEqual(got.shape as number[], wanted.shape as number[])) {
    throw refusal(
      'SHAPE',
      caller,
      `${what} has shape ${formatShape(got.shape)}, expected ${formatShape(wanted.shape)}`,
      remedy,
    );
  }
}

/** Throws unless a single original has the dtype of the tensor. Several originals may have others. */
export function checkDtypeKept(caller: string, originals: Tensor | Tensor[], { dtype }: TensorSpec): void {
  if (Array.isArray(originals)) return;
  const remedy = 'A single original keeps the dtype of the tensor.';
  checkSpec(caller, 'what rightInverse returned', originals, { shape: originals.shape, dtype }, remedy);
}

/** True for a tensor that still has its data. */
export const isTensor = (value: unknown): value is Tensor => value instanceof tf.Tensor && !value.isDisposed;

/** Describes, for messages, a value that should be a tensor with data. */
export const describeValue = (value: unknown): string =>
  value instanceof tf.Tensor ? 'a disposed tensor' : typeName(value);

/** Returns the name of a step for messages. */
export function stepName(step: ChainStep): string {
  return step.module !== null ? typeName(step.module) : 'the parametrization';
}

function wrong(caller: string, step: ChainStep, fact: string): ParametrizeError {
  return refusal('RIGHT_INVERSE', caller, `rightInverse of ${stepName(step)} ${fact}`);
}
