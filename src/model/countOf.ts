import type { Variable } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { sizeOf } from '../core/shapes.ts';

/** The number of elements of some variables. */
export interface ElementCount {
  /** The elements that tfjs trains. */
  readonly trainable: number;
  /** All elements. */
  readonly all: number;
}

/** Counts the elements of variables. */
export const countOf = (variables: readonly Variable[]): ElementCount => ({
  trainable: sum(variables.map(({ trainable, shape }) => (trainable ? sizeOf(shape) : 0))),
  all: sum(variables.map(({ shape }) => sizeOf(shape))),
});

/** Counts the bytes of variables. */
export const bytesOf = (variables: readonly Variable[]): number =>
  sum(variables.map(({ dtype, shape }) => sizeOf(shape) * tf.util.bytesPerElement(dtype)));

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
