import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import { refusal } from '../../../core/errors.ts';
import { guardSteps } from '../../../engine/optimizerGuard.ts';
import { alias, scoped } from '../../../engine/scope.ts';
import { isModule, variablesIn } from '../../../nn/module/fields.ts';
import { setTraining } from '../../../nn/module/trainingMode.ts';
import type { ChainStep } from '../../chain/chainStep.ts';
import { checkLaterArity } from '../../chain/dependencyChecks.ts';
import { inspectAfter } from '../../chain/inspectAfter.ts';
import { preservingState, rememberModes } from '../../chain/moduleState.ts';
import type { ParametrizationList } from '../../chain/parametrizationList.ts';
import { checkComplete } from '../../chain/readErrors.ts';
import { announced, enterStep, leaveStep } from '../../chain/registry.ts';
import {
  checkInvertible,
  checkSpec,
  invertLater,
  invertSteps,
  specOf,
  stepName,
  type TensorSpec,
} from '../../chain/rightInverse.ts';
import { runSteps } from '../../chain/runSteps.ts';
import { checkOpen, checkShared } from '../../host/ownershipChecks.ts';
import type { Site } from '../../host/site.ts';
import { immutable } from '../../host/tensorAccessor.ts';
import { type Commit, keepKeyOrder, undoable } from '../../transaction.ts';
import { raiseVersion } from '../../version.ts';
import type { planOriginals } from './planOriginals.ts';
import { checkUnchanged, tryStep } from './tryStep.ts';

/** The chain that an edit makes. */
export interface NextChain {
  readonly steps: readonly ChainStep[];
  /** The wanted value of the first steps, for which the originals change; absent if the originals stay. */
  readonly target?: {
    /** The number of these steps. Their right inverses give the originals. */
    readonly count: number;
    readonly value: Tensor;
    /** The function that changes the originals. A registration needs none, so bundles without edits lack it. */
    readonly plan: typeof planOriginals;
  };
}

/**
 * Does every part of a change of a chain that can fail, on tensors, and changes nothing (law L5).
 *
 * @param caller - the public function, for messages
 * @param unsafe - true if the value may have another shape or dtype
 * @returns the rest of the change, to be called in the same tidy and in a transaction
 * @throws {@link ParametrizeError} `RIGHT_INVERSE`, `SHAPE`, `DTYPE`, `FORWARD_RESULT`, `HIDDEN_DEPENDENCY`, `SHARED`,
 * `ALREADY_PARAMETRIZED`, `IMMUTABLE_HOST`, `UNSUPPORTED_HOST`, `DISPOSED`; and the errors of parametrizations
 */
export function planEdit(caller: string, site: Site, next: NextChain, unsafe = false): Commit {
  const registration = site.registered(caller);
  const { list } = registration;
  const { steps, target } = next;
  checkOpen(caller, list);
  list.checkAlive();
  checkComplete(caller, list);
  const added = steps.filter((step) => !list.steps.includes(step));
  const removed = list.steps.filter((step) => !steps.includes(step));
  for (const step of added) checkShared(caller, step, list);
  if (!Object.isExtensible(list)) throw immutable(caller, list, String(list.length));
  for (const step of steps.slice(1)) checkLater(caller, list, step);
  const modules = added.flatMap(({ module }) => module?.modules() ?? []);
  const { mode } = site;
  let written: Variable[] = [];
  const { originals, writes, spec } = preservingState([...list.modules(), ...modules], () => {
    if (mode !== undefined) setTraining(caller, modules, mode);
    if (target === undefined) return { writes: [], spec: tryChain(caller, list, steps, added, null, unsafe) };
    const variables = [...list.modules(), ...modules].flatMap(variablesIn);
    const before = variables.map(({ dataId }) => dataId);
    const back = steps.slice(0, target.count);
    checkInvertible(
      caller,
      back.filter((step) => !added.includes(step)),
      "Add one, or keep the originals: { keep: 'originals' }.",
    );
    const inverse = invertSteps(caller, back, target.value);
    // A right inverse may write buffers. The writes are undone here, and done again by the commit.
    written = variables.filter(({ dataId }, at) => dataId !== before[at]);
    return {
      originals: inverse,
      writes: written.map((variable) => alias(variable as Tensor)),
      spec: tryChain(caller, list, steps, added, [inverse].flat(), unsafe),
    };
  });
  if (!unsafe) checkUnchanged(caller, spec, list);
  const takeOriginals = originals && target?.plan(caller, registration, steps[0], originals, spec);
  return () =>
    announced(list, () => {
      undoable(rememberModes(modules));
      if (mode !== undefined) setTraining(caller, modules, mode);
      for (const [at, variable] of written.entries()) variable.assign(writes[at]!);
      keepKeyOrder(list);
      undoable(fieldsOf(list));
      takeOriginals?.();
      list.setSteps(steps, spec);
      for (const step of added) enterStep(step, list);
      for (const step of removed) leaveStep(step, list);
      guardSteps(list.parameters());
      if (isModule(site.owner)) raiseVersion(site.owner);
    });
}

/**
 * Tries a chain from the first step that changes, or whose argument changes.
 *
 * @param originals - the new originals; null if they stay
 * @returns the shape and dtype of the value
 */
export function tryChain(
  caller: string,
  list: ParametrizationList,
  steps: readonly ChainStep[],
  added: readonly ChainStep[],
  originals: readonly Tensor[] | null,
  unsafe: boolean,
): TensorSpec {
  const differs = steps.findIndex((step, i) => step !== list.steps[i]);
  const from = originals !== null ? 0 : differs < 0 ? steps.length : differs;
  let args = originals ?? (from === 0 ? list.originals() : [inspectAfter(list, from)]);
  let spec = specOf(args[0]!);
  for (let i = from; i < steps.length; i++) {
    const step = steps[i]!;
    const [given, current] = [args, args[0]!];
    spec = tryStep(caller, list, step, given, current, (result) => {
      if (unsafe || i === 0 || !added.includes(step)) return;
      checkUnchanged(caller, result, current);
      if (step.rightInverse === null) return;
      const remedy = 'A later parametrization keeps shape and dtype both ways, unless { unsafe: true }.';
      const inverse = invertLater(caller, step, result);
      checkSpec(caller, 'what rightInverse returned', inverse, specOf(current), remedy);
    });
    if (i + 1 < steps.length) args = [scoped(caller, (scope) => runSteps(caller, [step], given, scope))];
  }
  return spec;
}

/** Notes the fields of a list. Returns a function that restores them. */
function fieldsOf(list: ParametrizationList): () => void {
  const before = Object.getOwnPropertyDescriptors(list);
  return () => {
    for (const key of Reflect.ownKeys(list))
      if (!Object.hasOwn(before, key)) Reflect.deleteProperty(list, key);
    Object.defineProperties(list, before);
  };
}

function checkLater(caller: string, list: ParametrizationList, step: ChainStep): void {
  checkLaterArity(caller, step);
  if (step !== list.steps[0] || list.originalNames[0] === 'original') return;
  throw refusal(
    'RIGHT_INVERSE',
    caller,
    `rightInverse of ${stepName(step)} gives an array of originals, so that ${stepName(step)} can only be the first parametrization of ${list.label}`,
  );
}
