import type { Variable } from '@tensorflow/tfjs-core';
import { refusal } from '../../core/errors.ts';
import type { Attachment } from '../chain/attachment.ts';
import { ParametrizationList } from '../chain/parametrizationList.ts';
import { announced, enterRegistration, listsWithOriginal, registrationsOf } from '../chain/registry.ts';
import { checkSpec } from '../chain/rightInverse.ts';
import { hostKindOf } from '../host/objectHost.ts';
import { registrationAt } from '../host/registrationAt.ts';
import { type Site, siteOf } from '../host/site.ts';
import { type Commit, keepKeyOrder, retireVariable, transaction, undoable } from '../transaction.ts';

/**
 * Registers the parametrizations of one host on another with the same originals. Both hosts compute from the same
 * variables and train together. A tensor that the target lacks is added to it.
 *
 * @remarks
 * **Ownership**: the originals are shared. Removal on one side gives that side its own variable and does not change the
 * other side. The target's old variable is disposed.
 *
 * @param name - the tensor; default all parametrized tensors of `from`
 * @returns `to`
 * @throws {@link ParametrizeError} `NOT_PARAMETRIZED`, `ALREADY_PARAMETRIZED`, `SHAPE`, `DTYPE`, `TIED`,
 * `UNSUPPORTED_HOST` for parametrized originals and for normalizations of the hook API; nothing changes then
 * @see torch.nn.utils.parametrize.transfer_parametrizations_and_params
 */
export function transferParametrizationsAndParams<T extends object>(from: object, to: T, name?: string): T {
  const caller = 'transferParametrizationsAndParams';
  hostKindOf(from).check(caller, from);
  hostKindOf(to).check(caller, to);
  const names = name === undefined ? [...registrationsOf(from).keys()] : [name];
  const plans = names.map((tensor) => planTransfer(caller, siteOf(from, tensor), siteOf(to, tensor)));
  transaction(() => {
    for (const commit of plans) commit();
  });
  return to;
}

/**
 * Plans that the chain of one tensor is registered on another, with the same originals; changes nothing.
 *
 * @returns the rest, which cannot fail, to be called in a transaction
 * @throws {@link ParametrizeError} as {@link transferParametrizationsAndParams}
 */
function planTransfer(caller: string, from: Site, to: Site): Commit {
  const { list: source, attachment: own } = registrationAt(caller, from);
  if (own.closed !== undefined) {
    // The source runs the chain by other means, such as a hook, which the target would lack.
    const { fact, remedy } = own.closed;
    throw refusal('UNSUPPORTED_HOST', caller, `${source.label} ${fact}`, remedy);
  }
  if (to.registration !== undefined) {
    throw refusal(
      'ALREADY_PARAMETRIZED',
      caller,
      `${to.label} is parametrized already`,
      'Call removeParametrizations on it first.',
    );
  }
  if (registrationsOf(source).size > 0) {
    throw refusal(
      'UNSUPPORTED_HOST',
      caller,
      `an original of ${source.label} is parametrized itself`,
      'Transfer the inner parametrization by hand.',
    );
  }
  const { kind, owner, name } = to;
  const value: unknown = Reflect.get(owner, name);
  if (value === null || value === undefined) {
    const attachment = kind.add(caller, owner, name);
    return () => share(to, source, { attachment, variable: undefined });
  }
  const found = to.find(caller);
  checkSpec(caller, to.label, found.variable, source, 'Both sides must agree.');
  if (listsWithOriginal(found.variable).size > 0) {
    throw refusal(
      'TIED',
      caller,
      `the variable of ${to.label} is an original of another tensor`,
      'Clone it first.',
    );
  }
  return () => share(to, source, found);
}

/** A tensor of the target; without a variable where the target does not have it yet. */
interface Target {
  readonly attachment: Attachment;
  readonly variable: Variable | undefined;
}

function share(to: Site, source: ParametrizationList, { attachment, variable }: Target): void {
  const { owner, name, label, mode } = to;
  const { originalNames, wasTrainable, trainableBelow, steps, spec } = source;
  const list = new ParametrizationList(source.ownVariables(), {
    label,
    originalNames,
    wasTrainable,
    trainableBelow,
    steps,
    spec,
  });
  for (const [frozen, trainable] of source.frozenBase) list.frozenBase.set(frozen, trainable);
  // Only the list changes its mode. Its parametrizations also belong to the source, and keep their mode.
  list.training = mode ?? list.training;
  keepKeyOrder(owner);
  announced(owner, () => {
    undoable(() => {
      list.clear();
      attachment.uninstall(list, variable ?? list.ownVariables()[0]!);
      // The target did not have the tensor.
      if (variable === undefined) Reflect.deleteProperty(owner, name);
    });
    attachment.install(list);
    const variableName = variable?.name;
    if (variable !== undefined) retireVariable(variable);
    enterRegistration(owner, name, { list, attachment, variableName });
  });
}
