import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import { refusal } from '../core/errors.ts';
import { typeName } from '../core/text.ts';
import { warnOnce } from '../core/warnOnce.ts';
import { isModule } from '../nn/module/fields.ts';
import type { Module } from '../nn/module/module.ts';
import { registrationOf } from '../parametrize/chain/registry.ts';
import type { AnyDefinition } from '../parametrize/definition.ts';
import type { ParametrizationLike } from '../parametrize/parametrization.ts';
import { type MakeFor, registerOwned } from '../parametrize/verbs/registerOwned.ts';
import { removeParametrizations } from '../parametrize/verbs/removeParametrizations.ts';
import { type HookSpec, hookAttachment } from './hookAttachment.ts';

/** A module with the fields that a legacy normalization adds for its tensor N. */
export type Hooked<H, N extends string, Suffix extends string> = H & {
  readonly [Field in `${N}${Suffix}`]: Variable;
};

/** A module type with the tensor as a field. */
export type WithTensor<N extends string> = Module & { [Name in N]: Tensor | null | undefined };

/** The name that a legacy function and its modern replacement share. */
type HookName = 'weightNorm' | 'spectralNorm';

/** Names the replacement of a legacy function, once in the life of the process. */
function warnDeprecated(name: HookName): void {
  warnOnce(
    'legacy',
    `the hook API (legacy.${name}) is deprecated. Use ${name} of 'tfjs-parametrize'; checkpoints of either load into either.`,
  );
}

/**
 * Registers a legacy normalization.
 *
 * @throws {@link ParametrizeError} `UNSUPPORTED_HOST` if the host is not a module, `ALREADY_PARAMETRIZED` for a
 * parametrized tensor; and the errors of {@link registerOwned}
 */
export function addNormalization(
  name: HookName,
  definition: AnyDefinition | undefined,
  module: Module,
  spec: HookSpec,
  make: MakeFor,
): void {
  const caller = `legacy.${name}`;
  if (!isModule(module)) {
    throw refusal(
      'UNSUPPORTED_HOST',
      caller,
      `${typeName(module)} has no forward that a hook could run before`,
      `Use ${name} of 'tfjs-parametrize'.`,
    );
  }
  if (registrationOf(module, spec.name) !== undefined) {
    throw refusal(
      'ALREADY_PARAMETRIZED',
      caller,
      `cannot register two hooks on the same tensor: ${typeName(module)}.${spec.name} is ${whatIsOn(module, spec.name)}`,
      'Remove that first.',
    );
  }
  registerOwned(caller, module, spec.name, make, {
    definition,
    attach: () => hookAttachment(caller, module, spec),
  });
  warnDeprecated(name);
}

/**
 * Removes a normalization that either API registered.
 *
 * @param isIts - true for the maps of this normalization
 * @throws {@link ParametrizeError} `NOT_PARAMETRIZED` if the tensor has no such normalization, or has other
 * parametrizations too
 */
export function removeNormalization(
  caller: string,
  normalization: string,
  module: Module,
  name: string,
  isIts: (map: ParametrizationLike) => boolean,
): void {
  const list = registrationOf(module, name)?.list;
  if (list === undefined || list.length !== 1 || !isIts(list[0]!)) {
    throw refusal(
      'NOT_PARAMETRIZED',
      caller,
      `${normalization} of '${name}' not found in ${typeName(module)}: it is ${whatIsOn(module, name)}`,
      list && 'Call removeParametrizations to remove all of it.',
    );
  }
  removeParametrizations(module, name);
}

function whatIsOn(module: Module, name: string): string {
  const list = registrationOf(module, name)?.list;
  return list === undefined ? 'not parametrized' : `parametrized by ${[...list].map(typeName).join(', ')}`;
}
