import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import { checkBoolean, checkOptions } from '../../core/checkOptions.ts';
import { guardSteps } from '../../engine/optimizerGuard.ts';
import { alias, scoped } from '../../engine/scope.ts';
import { disposeVariable, makeVariable } from '../../engine/variable.ts';
import { isBuffer, markBuffer } from '../../nn/module/parameter.ts';
import { setTraining } from '../../nn/module/trainingMode.ts';
import { type ChainStep, chainStep } from '../chain/chainStep.ts';
import { holdBase } from '../chain/frozenBase.ts';
import { rememberModes } from '../chain/moduleState.ts';
import { ParametrizationList } from '../chain/parametrizationList.ts';
import { announced, enterRegistration } from '../chain/registry.ts';
import { checkDtypeKept, invertFirst, isLike, originalNamesFor, specOf } from '../chain/rightInverse.ts';
import type { AttachmentFactory } from '../host/hostKind.ts';
import { checkOpen, checkShared, checkTied } from '../host/ownershipChecks.ts';
import type { Site } from '../host/site.ts';
import { retireVariable, transaction, undoable } from '../transaction.ts';
import { planEdit } from './edit/planEdit.ts';
import { checkUnchanged, tryStep } from './edit/tryStep.ts';

/** Options of {@link registerParametrization}. */
export interface RegisterOptions {
  /** True if the parametrization may change the shape or dtype of the tensor. Default false. */
  readonly unsafe?: boolean;
}

/**
 * The work of {@link registerParametrization}, for every function that registers.
 *
 * Everything that can fail runs first, on tensors, with the chain already installed so that self-reads are detected.
 * The rest cannot fail, but a transaction of the caller may undo it.
 *
 * @param caller - the public function, for messages
 * @param site - the tensor, for which there is room ({@link checkRegistrationRoom})
 * @param attach - makes the attachment of a tensor that is not parametrized yet
 */
export function register(
  caller: string,
  site: Site,
  registered: unknown,
  options: RegisterOptions = {},
  attach: AttachmentFactory = ({ attachment }) => attachment,
): void {
  checkOptions(caller, options, ['unsafe']);
  const { unsafe = false } = options;
  checkBoolean(caller, 'unsafe', unsafe);
  const step = chainStep(caller, registered);
  const { owner: host, registration: existing, mode: training } = site;
  if (existing !== undefined) {
    scoped(caller, () =>
      transaction(planEdit(caller, site, { steps: [...existing.list.steps, step] }, unsafe)),
    );
    return;
  }
  checkOpen(caller, host);
  checkShared(caller, step, undefined);
  const modules = step.module?.modules() ?? [];
  transaction(() => {
    undoable(rememberModes(modules));
    if (training !== undefined) setTraining(caller, modules, training);
    announced(host, () => registerFirst(caller, site, step, unsafe, attach));
  });
}

function registerFirst(
  caller: string,
  site: Site,
  step: ChainStep,
  unsafe: boolean,
  attach: AttachmentFactory,
): void {
  const { owner: host, name, mode: training } = site;
  const found = site.find(caller);
  const { variable } = found;
  const attachment = attach(found);
  checkTied(caller, host, name, variable);
  scoped(caller, () => {
    const inverse = invertFirst(caller, step, alias(variable as Tensor));
    const values = [inverse].flat();
    checkDtypeKept(caller, inverse, variable);
    const originalNames = originalNamesFor(inverse);
    const adopted = values.map((value) => isLike(value, variable)).lastIndexOf(true);
    const wasTrainable = variable.trainable;
    const variables = values.map((value, i) => {
      const original =
        i === adopted ? variable : makeLike(variable, value, `${variable.name}/${originalNames[i]}`);
      if (original !== variable) undoable(() => disposeVariable(original));
      original.trainable = step.trainable[i] ?? wasTrainable;
      return original;
    });
    const list = new ParametrizationList(variables, {
      label: site.label,
      originalNames,
      wasTrainable,
      trainableBelow: step.trainable.every((trainable) => trainable === undefined) ? undefined : wasTrainable,
      steps: [step],
      spec: specOf(variable),
    });
    holdBase(list);
    if (training !== undefined) list.train(training);
    undoable(() => {
      // A layer takes the flag of the variable over when the chain is gone.
      variable.trainable = wasTrainable;
      list.clear();
      attachment.uninstall(list, variable);
    });
    attachment.install(list);
    const value = tryStep(caller, list, step, values, alias(variable as Tensor));
    if (!unsafe) checkUnchanged(caller, value, variable);
    list.setSteps(list.steps, value);
    guardSteps([variable]);
    if (adopted < 0) retireVariable(variable);
    else if (variable.dataId !== values[adopted]!.dataId) variable.assign(values[adopted]!);
    enterRegistration(host, name, { list, attachment, variableName: variable.name });
  });
}

function makeLike(variable: Variable, value: Tensor, name: string): Variable {
  const copy = makeVariable(value, variable.trainable, name);
  return isBuffer(variable) ? markBuffer(copy) : copy;
}
