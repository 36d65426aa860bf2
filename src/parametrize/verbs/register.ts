import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { checkBoolean, checkOptions } from '../../core/checkOptions.ts';
import { guardSteps } from '../../engine/optimizerGuard.ts';
import { alias, scoped } from '../../engine/scope.ts';
import { recordInputs } from '../../engine/tape.ts';
import { disposeVariable, isVariable, makeVariable } from '../../engine/variable.ts';
import { isModule } from '../../nn/module/fields.ts';
import { isBuffer, markBuffer } from '../../nn/module/parameter.ts';
import { setTraining } from '../../nn/module/trainingMode.ts';
import { type ChainStep, chainStep } from '../chain/chainStep.ts';
import { checkArity, checkHiddenDependencies, checkLaterArity } from '../chain/dependencyChecks.ts';
import type { OriginalName } from '../chain/listParts.ts';
import { preservingState, rememberModes } from '../chain/moduleState.ts';
import { ParametrizationList } from '../chain/parametrizationList.ts';
import { notATensor } from '../chain/readErrors.ts';
import { announced, enterRegistration, enterStep, type Registration } from '../chain/registry.ts';
import { checkSpec, invertFirst, invertLater, isTensor, type TensorSpec } from '../chain/rightInverse.ts';
import { definitionOf } from '../definition.ts';
import type { AttachmentFactory } from '../host/hostKind.ts';
import { checkOpen, checkShared, checkTied } from '../host/ownershipChecks.ts';
import type { Site } from '../host/site.ts';
import { immutable } from '../host/tensorAccessor.ts';
import { retireVariable, transaction, undoable } from '../transaction.ts';
import { raiseVersion } from '../version.ts';
import { checkRegistrationRoom } from './checkRegistrationRoom.ts';
import { warnAboutNaN } from './warnAboutNaN.ts';

/** Options of {@link registerParametrization}. */
export interface RegisterOptions {
  /** Allows the parametrization to change shape or dtype of the tensor. Default false. */
  readonly unsafe?: boolean;
}

/**
 * The work of {@link registerParametrization}, for every function that registers.
 *
 * Everything that can fail runs on tensors first, with the chain in place so that a read of the tensor by its own
 * parametrization is found. What follows then cannot fail, but a caller's transaction may take it back.
 *
 * @param caller - the public function, for messages
 * @param site - the tensor
 * @param attach - where the chain of a tensor that is not parametrized yet goes
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
  checkOpen(caller, existing?.list ?? host);
  checkShared(caller, step, existing?.list);
  checkRegistrationRoom(caller, site, definitionOf(registered));
  const modules = step.module?.modules() ?? [];
  transaction(() => {
    undoable(rememberModes(modules));
    if (training !== undefined) setTraining(caller, modules, training);
    announced(existing?.list ?? host, () => {
      if (existing === undefined) registerFirst(caller, site, step, unsafe, attach);
      else append(caller, existing, step, unsafe);
    });
    if (isModule(host)) raiseVersion(host);
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
    if (!Array.isArray(inverse) && inverse.dtype !== variable.dtype) {
      const remedy = 'A single original keeps the dtype of the tensor.';
      checkSpec(
        caller,
        'what rightInverse returned',
        inverse,
        { ...specOf(variable), shape: inverse.shape },
        remedy,
      );
    }
    const originalNames = Array.isArray(inverse)
      ? values.map((_, i): OriginalName => `original${i}`)
      : (['original'] as const);
    const adopted = values.map((value) => isLike(value, variable)).lastIndexOf(true);
    const wasTrainable = variable.trainable;
    const variables = values.map((value, i) => {
      const original =
        i === adopted ? variable : makeLike(variable, value, `${variable.name}/${originalNames[i]}`);
      if (original !== variable) undoable(() => disposeVariable(original));
      original.trainable = step.trainable[i] ?? wasTrainable;
      return original;
    });
    undoable(() => {
      variable.trainable = wasTrainable;
    });
    const list = new ParametrizationList(variables, {
      label: site.label,
      originalNames,
      wasTrainable: step.trainable.every((trainable) => trainable === undefined) ? undefined : wasTrainable,
      steps: [step],
      spec: specOf(variable),
    });
    if (training !== undefined) list.train(training);
    undoable(() => {
      list.clear();
      attachment.uninstall(list, variable);
    });
    attachment.install(list);
    const value = trial(caller, list, step, values, alias(variable as Tensor));
    if (!unsafe) checkUnchanged(caller, value, variable);
    list.setSteps(list.steps, value);
    guardSteps([variable]);
    if (adopted < 0) retireVariable(variable);
    else if (variable.dataId !== values[adopted]!.dataId) variable.assign(values[adopted]!);
    enterRegistration(host, name, { list, attachment, variableName: variable.name });
  });
}

function append(caller: string, { list }: Registration, step: ChainStep, unsafe: boolean): void {
  checkLaterArity(caller, step);
  if (!Object.isExtensible(list)) throw immutable(caller, list, String(list.length));
  scoped(caller, () => {
    const current = list.inspect();
    const value = trial(caller, list, step, [current], current, (result) => {
      if (!unsafe) checkUnchanged(caller, result, current);
      if (step.rightInverse === null) return;
      const inverse = invertLater(caller, step, result);
      const remedy = 'A later parametrization keeps shape and dtype both ways, unless { unsafe: true }.';
      if (!unsafe) checkSpec(caller, 'what rightInverse returned', inverse, specOf(current), remedy);
    });
    const { steps, spec } = list;
    undoable(() => {
      list.setSteps(steps, spec);
      raiseVersion(list);
    });
    list.setSteps([...steps, step], value);
    enterStep(step, list);
  });
}

/**
 * Evaluates one step on values, with the checks that only an evaluation can make; states and modes are put back.
 *
 * @param current - the value of the tensor without the step
 * @param then - further checks on the result, while it is there
 * @returns shape and dtype of the result
 */
function trial(
  caller: string,
  list: ParametrizationList,
  step: ChainStep,
  given: readonly Tensor[],
  current: Tensor,
  then: (result: Tensor) => void = () => {},
): TensorSpec {
  // Aliases, so that a forward that disposes its arguments cannot harm what becomes of them.
  const values = given.map((value) => alias(value));
  let spec: TensorSpec | undefined;
  const reached = new Set<Tensor>();
  list.guard(() =>
    preservingState(step.module?.modules() ?? [], () => {
      let result: unknown;
      const inputs = recordInputs(() => {
        if (step.arity > values.length) checkArity(caller, step, values, null);
        result = step.forward(...values);
        if (!isTensor(result)) throw notATensor(caller, step, result);
        if (isVariable(result)) reached.add(result);
        spec = specOf(result);
        warnAboutNaN(caller, list.label, step, current, result);
        then(result);
      });
      for (const input of inputs ?? []) reached.add(input);
      checkArity(caller, step, values, inputs);
    }),
  );
  checkHiddenDependencies(caller, step, reached, list.ownVariables());
  return spec!;
}

function checkUnchanged(caller: string, got: TensorSpec, wanted: TensorSpec): void {
  const remedy =
    'A parametrization may change neither dtype nor shape of the tensor, unless { unsafe: true }.';
  checkSpec(caller, 'the value of forward', got, wanted, remedy);
}

const specOf = ({ shape, dtype }: TensorSpec): TensorSpec => ({ shape: [...shape], dtype });
const isLike = (a: TensorSpec, b: TensorSpec): boolean =>
  a.dtype === b.dtype && tf.util.arraysEqual(a.shape as number[], b.shape as number[]);

function makeLike(variable: Variable, value: Tensor, name: string): Variable {
  const copy = makeVariable(value, variable.trainable, name);
  return isBuffer(variable) ? markBuffer(copy) : copy;
}
