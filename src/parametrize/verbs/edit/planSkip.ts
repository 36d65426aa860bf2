import { scoped } from '../../../engine/scope.ts';
import type { ChainStep } from '../../chain/chainStep.ts';
import { preservingState } from '../../chain/moduleState.ts';
import type { ParametrizationList } from '../../chain/parametrizationList.ts';
import { registrationAt } from '../../host/registrationAt.ts';
import type { Site } from '../../host/site.ts';
import { undoable } from '../../transaction.ts';
import { raiseVersion } from '../../version.ts';
import { tryChain } from './planEdit.ts';
import { checkIndex, checkSingle } from './planSteps.ts';
import { checkUnchanged } from './tryStep.ts';

/** How many times each step is skipped: skips may nest and overlap. */
const skips = new WeakMap<ParametrizationList, Map<ChainStep, number>>();

/**
 * Plans that steps of a chain do not run for a while. Nothing is written: the list, the state dict and the parameters
 * stay, and the chain can be neither assigned nor edited meanwhile.
 *
 * @param indices - the indices of the steps
 * @returns the function that begins it, which cannot fail. It returns the function that ends it; a transaction that
 * fails ends it too
 * @throws {@link ParametrizeError} `NOT_PARAMETRIZED`, `OPTION` for an index that does not exist, and for the first
 * step if that has several originals; `SHAPE` or `DTYPE` if the rest gives another tensor; and the
 * errors of parametrizations
 */
export function planSkip(caller: string, site: Site, indices: readonly number[]): () => () => void {
  const { list } = registrationAt(caller, site);
  list.checkAlive();
  for (const index of indices) checkIndex(caller, list, index, list.length - 1);
  if (indices.includes(0)) checkSingle(caller, list, 'Skip later parametrizations only.');
  const skipped = new Set(indices.map((index) => list.steps[index]!));
  const rest = list.active.filter((step) => !skipped.has(step));
  scoped(caller, () =>
    preservingState(list.modules(), () => {
      checkUnchanged(caller, tryChain(caller, list, rest, [], list.originals(), true), list);
    }),
  );
  return () => begin(list, skipped);
}

function begin(list: ParametrizationList, skipped: ReadonlySet<ChainStep>): () => void {
  const counts = skips.get(list) ?? new Map<ChainStep, number>();
  skips.set(list, counts);
  const count = (by: number): void => {
    for (const step of skipped) counts.set(step, (counts.get(step) ?? 0) + by);
    const active = list.steps.filter((step) => !counts.get(step));
    // Other code compares the two arrays to tell whether all steps run.
    list.active = active.length === list.length ? list.steps : active;
    raiseVersion(list);
  };
  let isOpen = true;
  const end = (): void => {
    if (isOpen) count(-1);
    isOpen = false;
  };
  count(1);
  undoable(end);
  return end;
}
