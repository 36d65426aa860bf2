import { ParametrizeError } from '../../core/errors.ts';
import { tieOf } from '../../nn/module/normalizedTensor.ts';
import type { ParametrizationList } from '../../parametrize/chain/parametrizationList.ts';
import { registrationOf } from '../../parametrize/chain/registry.ts';
import { siteOf } from '../../parametrize/host/site.ts';
import { removeAll } from '../../parametrize/verbs/removeParametrizations.ts';
import { checkTie, tie } from '../../parametrize/verbs/tie.ts';
import { applyEach, tryEach } from '../rules/applyPlan.ts';
import type { PlannedTie, TieRoot } from '../rules/plan.ts';
import { tensorPath } from '../select/candidate.ts';

/** What is to be done about the ties of a recipe. */
interface ResolvedTies {
  readonly ties: PlannedTie[];
  /** The ties that are there already. */
  readonly unchanged: PlannedTie[];
  /** The ties of tensors that have other entries or other chains. */
  readonly conflicts: (PlannedTie & { readonly isTwice: boolean })[];
}

/** The ties that the entries of a recipe ask for. */
export class RecipeTies {
  private readonly byHost = new Map<object, Map<string, TieRoot>>();
  private unresolved: PlannedTie[] = [];

  /** Returns the source that an entry gives a tensor, or undefined. */
  sourceOf(host: object, name: string): TieRoot | undefined {
    return this.byHost.get(host)?.get(name);
  }

  /** Adds the tie of an entry. The first one of a tensor counts. */
  add(tie: PlannedTie): void {
    this.unresolved.push(tie);
    const { host, tensor } = tie.candidate;
    const byName = this.byHost.get(host) ?? new Map<string, TieRoot>();
    this.byHost.set(host, byName.set(tensor, byName.get(tensor) ?? tie.source));
  }

  /**
   * Finds the last sources of the added ties, when every entry has been read.
   *
   * @throws {@link ParametrizeError} `CYCLE`
   */
  resolve(caller: string): ResolvedTies {
    const resolved: ResolvedTies = { ties: [], unchanged: [], conflicts: [] };
    const { ties, unchanged, conflicts } = resolved;
    for (const tie of this.unresolved) {
      const { host, tensor, list } = tie.candidate;
      const source = this.rootOf(tie.source);
      if (source === null || (source.host === host && source.name === tensor)) {
        const fact = `'${tensorPath(tie.candidate)}' would be tied to itself`;
        throw new ParametrizeError('CYCLE', { caller, fact, remedy: 'Correct its tiedTo.' });
      }
      const first = this.sourceOf(host, tensor);
      const isTwice = first !== tie.source;
      const there = isTwice ? first : tieOf(list);
      if (there !== undefined && this.areSame(there, source)) unchanged.push(tie);
      else if (isTwice || list !== null) conflicts.push({ ...tie, isTwice });
      else ties.push({ ...tie, source });
    }
    this.unresolved = [];
    return resolved;
  }

  /**
   * Returns the tensor that is read in the end, by the ties of the recipe and those of the model; null for ties that go
   * round in a circle.
   */
  private rootOf(source: TieRoot): TieRoot | null {
    const seen = new Map<object, Set<string>>();
    for (let at = source; ; ) {
      const { host, name, isTransposed } = at;
      const names = seen.get(host) ?? new Set();
      if (names.has(name)) return null;
      seen.set(host, names.add(name));
      const next = this.sourceOf(host, name) ?? tieOf(registrationOf(host, name)?.list ?? null);
      if (next === undefined) return at;
      at = { host: next.host, name: next.name, isTransposed: next.isTransposed !== isTransposed };
    }
  }

  /** True if two sources are one tensor in the end. */
  private areSame(a: TieRoot, b: TieRoot): boolean {
    const [one, other] = [this.rootOf(a), this.rootOf(b)];
    return (
      one !== null &&
      one.host === other?.host &&
      one.name === other.name &&
      one.isTransposed === other.isTransposed
    );
  }
}

/** A tie that was made. */
export interface AppliedTie {
  readonly tie: PlannedTie;
  readonly list: ParametrizationList;
}

const labelOf = ({ candidate }: PlannedTie): string => `'${tensorPath(candidate)}'`;

/**
 * Checks the ties of a plan as {@link applyTies} does, and changes nothing.
 *
 * @throws {@link ParametrizeError} of the first tie that does not fit; the message has every such tie
 */
export function checkTies(caller: string, ties: readonly PlannedTie[]): void {
  tryEach(caller, ties, {
    labelOf,
    apply: ({ candidate: { host, tensor }, source }) =>
      checkTie(host, tensor, source.host, source.name, source.isTransposed),
  });
}

/** Makes the ties of a plan, all or nothing. A compiled model is synced. */
export const applyTies = (caller: string, model: object, ties: readonly PlannedTie[]): AppliedTie[] =>
  applyEach(caller, model, ties, {
    labelOf,
    apply(planned): AppliedTie {
      const { candidate, source } = planned;
      const { host, tensor } = candidate;
      tie(host, tensor, source.host, source.name, { transpose: source.isTransposed });
      return { tie: planned, list: registrationOf(host, tensor)!.list };
    },
  });

/** Gives tied tensors variables of their own; ties that are gone are skipped. */
export function undoTies(caller: string, ties: readonly AppliedTie[]): void {
  const left = ties.filter(
    ({ tie: { candidate }, list }) => registrationOf(candidate.host, candidate.tensor)?.list === list,
  );
  removeAll(
    caller,
    left.reverse().map(({ tie: { candidate } }) => siteOf(candidate.host, candidate.tensor)),
  );
}
