import type { Variable } from '@tensorflow/tfjs-core';
import { refusal } from '../../core/errors.ts';
import { typeName } from '../../core/text.ts';
import type { Attachment } from '../chain/attachment.ts';
import { ParametrizationList } from '../chain/parametrizationList.ts';
import {
  announced,
  enterRegistration,
  listsWithOriginal,
  registrationOf,
  registrationsOf,
} from '../chain/registry.ts';
import { checkSpec } from '../chain/rightInverse.ts';
import { modeOf } from '../host/hostKind.ts';
import { hostKindOf } from '../host/objectHost.ts';
import { keepKeyOrder, retireVariable, undoable } from '../transaction.ts';
import { registrationOrThrow } from './isParametrized.ts';

/**
 * Registers the parametrizations of one host on another, with the same originals: both compute from the same variables
 * and train together. A tensor that the target lacks is added to it.
 *
 * @remarks
 * **Ownership**: the originals are shared; removal on one side gives that side a variable of its own and leaves the
 * other as it is. The target's own variable is disposed.
 *
 * @param name - one tensor; default all that are parametrized on `from`
 * @returns `to`
 * @throws {@link ParametrizeError} `NOT_PARAMETRIZED`, `ALREADY_PARAMETRIZED`, `SHAPE`, `DTYPE`, `TIED`,
 * `UNSUPPORTED_HOST` for originals that are parametrized themselves and for what the hook API has put there; nothing
 * has changed then
 * @see torch.nn.utils.parametrize.transfer_parametrizations_and_params
 */
export function transferParametrizationsAndParams<T extends object>(from: object, to: T, name?: string): T {
  const caller = 'transferParametrizationsAndParams';
  hostKindOf(from).check(caller, from);
  hostKindOf(to).check(caller, to);
  const names = name === undefined ? [...registrationsOf(from).keys()] : [name];
  const plans = names.map((tensor) => plan(caller, from, to, tensor));
  announced(to, () => {
    for (const one of plans) share(to, one);
  });
  return to;
}

function share(to: object, { tensor, source, attachment, variable }: Plan): void {
  const list = new ParametrizationList(source.ownVariables(), {
    label: `${typeName(to)}.${tensor}`,
    originalNames: source.originalNames,
    wasTrainable: source.wasTrainable,
    steps: source.steps,
    spec: source,
  });
  // The list alone: its parametrizations are the source's too, and keep their mode.
  list.training = modeOf(to) ?? list.training;
  keepKeyOrder(to);
  undoable(() => {
    list.clear();
    if (variable !== undefined) attachment.uninstall(list, variable);
    else removeAdded(to, tensor, attachment, list);
  });
  attachment.install(list);
  const variableName = variable?.name;
  if (variable !== undefined) retireVariable(variable);
  enterRegistration(to, tensor, { list, attachment, variableName });
}

/** Takes back a tensor that the target did not have. */
function removeAdded(to: object, tensor: string, attachment: Attachment, list: ParametrizationList): void {
  attachment.uninstall(list, list.ownVariables()[0]!);
  Reflect.deleteProperty(to, tensor);
}

interface Plan {
  readonly tensor: string;
  readonly source: ParametrizationList;
  readonly attachment: Attachment;
  readonly variable: Variable | undefined;
}

function plan(caller: string, from: object, to: object, tensor: string): Plan {
  const { list: source, attachment: own } = registrationOrThrow(caller, from, tensor);
  if (own.closed !== undefined) {
    // Something on the source runs the chain, such as a hook; the target would lack it.
    const { fact, remedy } = own.closed;
    throw refusal('UNSUPPORTED_HOST', caller, `${source.label} ${fact}`, remedy);
  }
  if (registrationOf(to, tensor) !== undefined) {
    throw refusal(
      'ALREADY_PARAMETRIZED',
      caller,
      `${typeName(to)}.${tensor} is parametrized already`,
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
  const value: unknown = (to as Record<string, unknown>)[tensor];
  if (value === null || value === undefined) {
    return { tensor, source, attachment: hostKindOf(to).add(caller, to, tensor), variable: undefined };
  }
  const { variable, attachment } = hostKindOf(to).find(caller, to, tensor);
  checkSpec(caller, `${typeName(to)}.${tensor}`, variable, source, 'Both sides must agree.');
  if (listsWithOriginal(variable).size > 0) {
    throw refusal(
      'TIED',
      caller,
      `the variable of ${typeName(to)}.${tensor} is an original of another tensor`,
      'Clone it first.',
    );
  }
  return { tensor, source, attachment, variable };
}
