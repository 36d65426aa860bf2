import { checkBoolean, checkInteger, checkOptions } from '../../core/checkOptions.ts';
import { refusal } from '../../core/errors.ts';
import { scoped } from '../../engine/scope.ts';
import { carryOut } from '../../model/rules/carryOut.ts';
import type { FoundCandidate } from '../../model/select/candidate.ts';
import { type Selector, selectorKeys } from '../../model/select/selector.ts';
import type { PruneOptions } from '../../parametrizations/masks/pruneOptions.ts';
import { prune } from '../../parametrizations/prune.ts';
import { registrationOf } from '../../parametrize/chain/registry.ts';
import { checkedOptions, definitionOf } from '../../parametrize/definition.ts';
import { transaction } from '../../parametrize/transaction.ts';
import {
  type CubicSchedule,
  type CubicSparsityOptions,
  checkedCubic,
  cubic,
  cubicKeys,
} from './cubicSparsity.ts';
import { globalMasks } from './globalMasks.ts';
import { maskIn, pruningPlan, pruningTargets, selectorIn } from './pruningTargets.ts';

/** Options of {@link pruneGradually}: which tensors, how sparse at which step, and which elements are hidden. */
export interface PruneGraduallyOptions
  extends Selector,
    CubicSparsityOptions,
    Pick<PruneOptions, 'method' | 'dim' | 'norm' | 'regrow'> {
  /** The number of steps from one change of the masks to the next. Default 1. */
  readonly every?: number;
  /** True for one order of the elements of all tensors; see {@link pruneGlobally}. Default false. */
  readonly global?: boolean;
}

const manners = ['method', 'dim', 'norm', 'regrow'] as const;

/**
 * The masks of a model that hide more and more elements while it trains. {@link pruneGradually} makes it.
 *
 * In a loop, call {@link step} after each step of the optimizer. In `fit` of tf.layers, pass it as a callback:
 * `callbacks: pruning`.
 */
export class GradualPruning {
  /** @internal Minifiers keep it. */
  static readonly name: string = 'GradualPruning';

  private readonly targets: readonly FoundCandidate[];
  private readonly schedule: CubicSchedule;
  private readonly every: number;
  private readonly isGlobal: boolean;
  private readonly manner: PruneOptions;
  private count = 0;

  /** @internal */
  constructor(
    targets: readonly FoundCandidate[],
    schedule: CubicSchedule,
    { every, isGlobal }: { readonly every: number; readonly isGlobal: boolean },
    manner: PruneOptions,
  ) {
    this.targets = targets;
    this.schedule = schedule;
    this.every = every;
    this.isGlobal = isGlobal;
    this.manner = manner;
  }

  /** The number of steps so far. */
  get steps(): number {
    return this.count;
  }

  /** Sets the number of steps, to go on with a saved training. The masks change at the next step that is due. */
  set steps(steps: number) {
    checkInteger('GradualPruning', 'steps', steps, 0);
    this.count = steps;
  }

  /** The sparsity that the schedule has for the current step. */
  get sparsity(): number {
    return cubic(this.schedule)(this.count);
  }

  /**
   * Counts a step of training, and changes the masks if it is due. Tensors whose mask was removed meanwhile stay as
   * they are. All masks change, or none.
   *
   * @returns true if the masks were chosen anew
   */
  step(): boolean {
    this.count++;
    return this.update();
  }

  /** Counts a step at the end of each batch of `fit`. */
  readonly onBatchEnd = async (): Promise<void> => {
    this.step();
  };

  /** @internal Changes the masks if the current step is due. */
  update(): boolean {
    const { begin, end } = this.schedule;
    const since = this.count - begin;
    const isDue = since >= 0 && this.count <= end && (since % this.every === 0 || this.count === end);
    if (isDue) this.prune();
    return isDue;
  }

  private prune(): void {
    const { sparsity, manner } = this;
    const targets = this.targets.filter(({ host, tensor }) => maskIn(listOf(host, tensor)) !== null);
    if (targets.length === 0) return;
    transaction(() =>
      scoped('pruneGradually', () => {
        const { method, regrow } = manner;
        const masks = this.isGlobal
          ? globalMasks('pruneGradually', targets, { sparsity, method, regrow })
          : null;
        for (const [i, { host, tensor }] of targets.entries()) {
          const chosen =
            masks === null ? { ...manner, sparsity } : { mask: masks[i]!, ...(regrow && { regrow }) };
          prune(host, tensor as never, chosen as never);
        }
      }),
    );
  }
}

const listOf = (host: object, tensor: string) => registrationOf(host, tensor)?.list;

/**
 * Lets masks hide more and more elements of a model while it trains: at the steps `begin`, `begin + every`, …, `end`
 * each tensor gets the sparsity of {@link cubicSparsity}.
 *
 * The selected tensors get masks that hide nothing now, so `compile` and optimizers see them from the start. A schedule
 * from step 0 hides `initial` at once. A hidden element stays hidden, unless `regrow` is true.
 *
 * @remarks
 * **State**: that of `prune`. A compiled model of tf.layers is synced. The number of steps is not saved: set `steps` of
 * the result after a model was loaded.
 *
 * @param model - a module, a layer or model of tf.layers, or an object that holds variables
 * @throws {@link ParametrizeError} `OPTION`, `PATTERN`, `UNSUPPORTED_HOST`, `DTYPE`, `SHAPE`; `UNMATCHED_RULE` if a
 * condition matches nothing. Nothing has changed then.
 * @example
 * ```ts
 * const pruning = pruneGradually(model, { final: 0.9, end: 2000, every: 100 });
 * for (const batch of batches) {
 *   minimize(optimizer, () => loss(batch), model);
 *   pruning.step();
 * }
 * await layersModel.fit(x, y, { callbacks: pruneGradually(layersModel, { final: 0.9, end: 2000 }) });
 * ```
 * @see Zhu and Gupta 2017, arXiv:1710.01878
 */
export function pruneGradually(model: object, options: PruneGraduallyOptions): GradualPruning {
  const caller = 'pruneGradually';
  checkOptions(caller, options, [...selectorKeys, ...cubicKeys, ...manners, 'every', 'global']);
  const schedule = checkedCubic(caller, options);
  const { every = 1, global: isGlobal = false } = options;
  checkInteger(caller, 'every', every, 1);
  checkBoolean(caller, 'global', isGlobal);
  const given = manners.filter((name) => options[name] !== undefined);
  const manner: PruneOptions = Object.fromEntries(given.map((name) => [name, options[name]]));
  checkedOptions(definitionOf(prune)!, caller, { ...manner, sparsity: schedule.final } as never);
  if (isGlobal && options.dim !== undefined) {
    throw refusal('OPTION', caller, 'dim is given with global: true, and slices have no common order');
  }
  const targets = pruningTargets(caller, model, selectorIn(options));
  return transaction(() => {
    const plain = targets.targets.filter(({ list }) => maskIn(list) === null);
    carryOut(
      caller,
      model,
      pruningPlan(
        targets,
        plain.map((candidate) => [candidate, {}]),
      ),
      false,
    );
    const { dim, norm } = options;
    if (dim !== undefined) {
      // Hides nothing. It refuses now the slices that a tensor does not have, and not in the middle of the training.
      for (const { host, tensor } of targets.targets) {
        prune(host, tensor as never, { dim, ...(norm !== undefined && { norm }), sparsity: 0 } as never);
      }
    }
    const pruning = new GradualPruning(targets.targets, schedule, { every, isGlobal }, manner);
    pruning.update();
    return pruning;
  });
}
