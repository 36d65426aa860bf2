import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { guardSteps } from '../engine/optimizerGuard.ts';
import { alias, scoped } from '../engine/scope.ts';
import { disposeVariable, makeVariable, renameVariable } from '../engine/variable.ts';
import { ParametrizeError } from '../errors.ts';
import { isModule } from '../nn/module/fields.ts';
import type { Module } from '../nn/module/module.ts';
import { isBuffer, markBuffer } from '../nn/module/parameter.ts';
import { checkBoolean, checkOptions } from '../nn/options.ts';
import type { Chain } from './chain.ts';
import { locate } from './host.ts';
import { registrationOrThrow } from './isParametrized.ts';
import { ParametrizationList } from './parametrizationList.ts';
import {
  deleteRegistration,
  enterOriginal,
  isMade,
  listsWithModule,
  listsWithOriginal,
  registrationsOf,
  tellPlaces,
} from './registry.ts';
import { raiseVersion } from './version.ts';

/** Options of {@link removeParametrizations}. */
export interface RemoveOptions {
  /** Whether the variable that is put back holds the computed value (default) or the original. */
  readonly leaveParametrized?: boolean;
}

/**
 * Removes all parametrizations of a tensor: `host[name]` is a plain variable again, at its old place among the fields.
 *
 * @remarks
 * **Ownership**: the variable belongs to the host: the very one that was there before registration, wherever an original
 * of the value's shape and dtype exists, otherwise a new one of the old name. The other originals are disposed, and so is
 * what a registration function such as `spectralNorm` made; a parametrization that you passed in stays yours. A borrowed
 * value of the tensor ends.
 * **State**: the value is that of the last read; no power iteration is advanced, and random maps give their eval value.
 *
 * @param options - `leaveParametrized: false` puts the original back instead of the value; only with a single original
 * @returns the host
 * @throws {@link ParametrizeError} `NOT_PARAMETRIZED`, `OPTION`, also for `leaveParametrized: false` with several originals,
 * `DISPOSED`
 * @see torch.nn.utils.parametrize.remove_parametrizations
 */
export function removeParametrizations<H extends object>(
  host: H,
  name: string,
  options: RemoveOptions = {},
): H {
  const [owner, tensor] = locate(host, name);
  disposeMade(owner, remove(owner, tensor, options));
  return host;
}

/** {@link removeParametrizations} of several tensors of one host, which is looked through once for all of them. */
export function removeEach(host: object, names: readonly string[]): void {
  const made = names.flatMap((name) => remove(host, name, {}));
  disposeMade(host, made);
}

/** @returns what registration made for the chain */
function remove(host: object, name: string, options: RemoveOptions): Module[] {
  const caller = 'removeParametrizations';
  checkOptions(caller, options, ['leaveParametrized']);
  const { leaveParametrized = true } = options;
  checkBoolean(caller, 'leaveParametrized', leaveParametrized);
  const { list, attachment, variableName } = registrationOrThrow(caller, host, name);
  const { chain } = list;
  if (!leaveParametrized && chain.originalNames.length > 1) {
    throw new ParametrizeError(
      'OPTION',
      `${caller}: ${chain.label} has ${chain.originalNames.length} originals, so that there is no single tensor to leave unparametrized. Drop leaveParametrized: false.`,
    );
  }
  chain.checkAlive();
  const made = chain.steps.flatMap(({ module }) => (module !== null && isMade(module) ? [module] : []));
  scoped(caller, () => {
    const value = leaveParametrized ? chain.inspect() : alias(chain.originals()[0]!);
    // From here on nothing can fail (law L5).
    for (const nested of [...registrationsOf(list).keys()]) removeParametrizations(list, nested);
    const variable = takeVariable(chain, value);
    const own = chain.ownVariables();
    deleteRegistration(host, name);
    attachment.uninstall(list, variable);
    if (host instanceof ParametrizationList) enterOriginal(variable, host);
    for (const other of own) {
      if (other !== variable && listsWithOriginal(other).size === 0) disposeVariable(other);
    }
    // Now that they are gone: one of them may have had the name.
    if (variableName !== undefined) renameVariable(variable, variableName);
    retireList(list);
  });
  if (isModule(host)) raiseVersion(host);
  tellPlaces(host);
  return made;
}

/** The variable for the host: the last original that fits and is not shared with another host, or a new one. */
function takeVariable(chain: Chain, value: Tensor): Variable {
  const own = chain.ownVariables();
  const fits = (variable: Variable): boolean =>
    variable.dtype === value.dtype &&
    tf.util.arraysEqual(variable.shape, value.shape) &&
    listsWithOriginal(variable).size <= 1;
  const kept = own.filter(fits).at(-1);
  if (kept === undefined) {
    const made = makeVariable(
      value,
      own.some(({ trainable }) => trainable),
    );
    guardSteps([made]);
    return own.some(isBuffer) ? markBuffer(made) : made;
  }
  if (kept.dataId !== value.dataId) kept.assign(value);
  return kept;
}

/** Empties a list that stands on no host any more, so that whoever still holds it cannot reach the host's variable. */
function retireList(list: ParametrizationList): void {
  const { chain } = list;
  chain.clear();
  for (const name of chain.originalNames) delete (list as unknown as Record<string, unknown>)[name];
  chain.setSteps([]);
}

/** Disposes what registration made for chains that are gone, unless it is part of another, or the host holds it. */
function disposeMade(host: object, made: readonly Module[]): void {
  const unused = made.filter((module) => listsWithModule(module).size === 0);
  if (unused.length === 0) return;
  const held = new Set(isModule(host) ? host.modules() : []);
  for (const module of unused) if (!held.has(module)) module.dispose();
}
