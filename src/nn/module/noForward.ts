import { type ParametrizeError, refusal } from '../../core/errors.ts';
import { typeName } from '../../core/text.ts';
import type { Module } from './module.ts';

/** The error for a call of a container that computes nothing. */
export const noForward = (container: Module, contents: string, remedy: string): ParametrizeError =>
  refusal(
    'NOT_A_FUNCTION',
    'call',
    `a ${typeName(container)} holds ${contents} and computes nothing`,
    `${remedy}.`,
  );
