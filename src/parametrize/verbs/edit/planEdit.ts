import type { Tensor } from '@tensorflow/tfjs-core';
import { guardSteps } from '../../../engine/optimizerGuard.ts';
import { scoped } from '../../../engine/scope.ts';
import { isModule } from '../../../nn/module/fields.ts';
import { setTraining } from '../../../nn/module/trainingMode.ts';
import type { ChainStep } from '../../chain/chainStep.ts';
import { checkLaterArity } from '../../chain/dependencyChecks.ts';
import { holdBase, releaseBase } from '../../chain/frozenBase.ts';
import { inspectAfter } from '../../chain/inspectAfter.ts';
import { preservingState, rememberModes } from '../../chain/moduleState.ts';
import type { ParametrizationList } from '../../chain/parametrizationList.ts';
import { checkComplete } from '../../chain/readErrors.ts';
import { announced, enterStep } from '../../chain/registry.ts';
import { checkSpec, invertLater, specOf, type TensorSpec } from '../../chain/rightInverse.ts';
import { runSteps } from '../../chain/runSteps.ts';
import { checkOpen, checkShared } from '../../host/ownershipChecks.ts';
import type { Site } from '../../host/site.ts';
import { immutable } from '../../host/tensorAccessor.ts';
import { type Commit, keepKeyOrder, undoable } from '../../transaction.ts';
import { raiseVersion } from '../../version.ts';
import { checkUnchanged, tryStep } from './tryStep.ts';

/** The chain that an edit makes. */
export interface NextChain {
  readonly steps: readonly ChainStep[];
  /** Finds the originals of the new chain; absent if the originals stay. */
  readonly invert?: (added: readonly ChainStep[]) => Inversion;
  /** Notes that steps are gone; absent if all stay. */
  readonly leave?: (list: ParametrizationList) => void;
}

/** Other originals of a chain. */
export interface Inversion {
  readonly originals: readonly Tensor[];
  /** All tensors that {@link take} needs. They are in the result, so that the tidy of the plan keeps them. */
  readonly tensors: readonly Tensor[];
  /** Gives the originals to a chain whose value has this shape and dtype; cannot fail. */
  readonly take: (spec: TensorSpec) => void;
}

/**
 * Does every part of a change of a chain that can fail, on tensors, and changes nothing (law L5).
 *
 * @param caller - the public function, for messages
 * @param site - a parametrized tensor
 * @param unsafe - true if the value may have another shape or dtype
 * @returns the rest of the change, to be called in the same tidy and in a transaction
 * @throws {@link ParametrizeError} `RIGHT_INVERSE`, `SHAPE`, `DTYPE`, `FORWARD_RESULT`, `HIDDEN_DEPENDENCY`, `SHARED`,
 * `ALREADY_PARAMETRIZED`, `IMMUTABLE_HOST`, `UNSUPPORTED_HOST`, `DISPOSED`; and the errors of parametrizations
 */
export function planEdit(
  caller: string,
  site: Site,
  { steps, invert, leave }: NextChain,
  unsafe = false,
): Commit {
  const { list } = site.registration!;
  checkOpen(caller, list);
  list.checkAlive();
  checkComplete(caller, list);
  const added = steps.filter((step) => !list.steps.includes(step));
  for (const step of added) checkShared(caller, step, list);
  if (!Object.isExtensible(list)) throw immutable(caller, list, String(list.length));
  for (const step of steps.slice(1)) checkLaterArity(caller, step);
  const modules = added.flatMap(({ module }) => module?.modules() ?? []);
  const { mode } = site;
  const { inversion, spec } = preservingState([...list.modules(), ...modules], () => {
    if (mode !== undefined) setTraining(caller, modules, mode);
    const inversion = invert?.(added);
    return { inversion, spec: tryChain(caller, list, steps, added, inversion?.originals ?? null, unsafe) };
  });
  if (!unsafe) checkUnchanged(caller, spec, list);
  return () =>
    announced(list, () => {
      undoable(rememberModes(modules));
      if (mode !== undefined) setTraining(caller, modules, mode);
      keepKeyOrder(list);
      undoable(fieldsOf(list));
      releaseBase(list);
      inversion?.take(spec);
      list.setSteps(steps, spec);
      for (const step of added) enterStep(step, list);
      leave?.(list);
      holdBase(list);
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
