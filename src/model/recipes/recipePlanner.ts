import { ParametrizeError } from '../../core/errors.ts';
import { joinPath } from '../../core/paths.ts';
import { formatShape } from '../../core/shapes.ts';
import { checkedOptions, definitionOf } from '../../parametrize/definition.ts';
import { isSameData } from '../../stateDict/appliedSteps.ts';
import { type Catalog, checkInCatalog, type RecipeTie, type TensorRecipe } from '../../stateDict/recipe.ts';
import { type FoundStep, stepsOn } from '../../stateDict/tensorRecipes.ts';
import { type Conflict, checkConflicts } from '../rules/checkConflicts.ts';
import type { Plan, PlannedStep, PlannedTie, Skipped, TieRoot } from '../rules/plan.ts';
import { type PlanNote, planNoteOf } from '../rules/planNotes.ts';
import { TIE_KIND } from '../rules/report.ts';
import { stepText } from '../rules/stepText.ts';
import { candidatesOf, type FoundCandidate, tensorPath, tiedPath } from '../select/candidate.ts';
import { isChain, type WantedStep } from './isChain.ts';
import { absent, unknownTensors } from './missingTensors.ts';
import { RecipeTies } from './recipeTies.ts';
import { TensorFinder } from './tensorFinder.ts';

/** An entry of a recipe with its number. */
export interface NumberedEntry {
  readonly entry: TensorRecipe;
  readonly number: number;
}

/** A wanted step with its function and checked options. */
type CheckedStep = WantedStep & Pick<PlannedStep, 'apply' | 'options'>;

/**
 * Resolves the entries of a recipe against a model. Entries of tensors inside of chains can be planned as soon as the
 * outer chain is registered.
 */
export class RecipePlanner implements Plan {
  readonly unit = 'entry';
  readonly candidates: FoundCandidate[];
  readonly steps: PlannedStep[] = [];
  readonly unchanged: Omit<Skipped, 'reason'>[] = [];
  readonly skipped: Skipped[] = [];
  readonly unmatched: number[] = [];
  readonly matched = new Set<number>();
  readonly frozen = new Map<number, readonly string[]>();
  /** The entries that freeze originals, with their tensors. */
  readonly freezing: { readonly candidate: FoundCandidate; readonly entry: TensorRecipe }[] = [];
  readonly ties: PlannedTie[] = [];
  private readonly finder: TensorFinder;
  private readonly wantedTies = new RecipeTies();
  /** The steps of entries of this recipe, by the host and the tensor. */
  private readonly entries = new Map<object, Map<string, readonly CheckedStep[]>>();
  private readonly conflicts: Conflict[] = [];
  private readonly stale: string[] = [];

  private readonly caller: string;
  private readonly model: object;
  private readonly catalog: Catalog;

  constructor(caller: string, model: object, catalog: Catalog) {
    this.caller = caller;
    this.model = model;
    this.catalog = catalog;
    this.candidates = candidatesOf(caller, model);
    this.finder = new TensorFinder(this.candidates);
  }

  /**
   * Plans the entries of tensors that the model has now.
   *
   * @returns the entries of tensors that it lacks
   * @throws {@link ParametrizeError} `UNKNOWN_RECIPE`, `OPTION`, `CONFLICT`, `STALE_PLAN`
   */
  plan(entries: readonly NumberedEntry[]): NumberedEntry[] {
    const missing = entries.filter(({ entry, number }) => {
      const { path, tensor } = entry;
      const candidate = this.finder.find(path, tensor, this.candidates.length);
      const source = this.sourceOf(entry);
      if (candidate === null || source === null) return true;
      if (candidate.index === this.candidates.length) this.candidates.push(candidate);
      this.matched.add(candidate.index);
      const named = { ...candidate, path };
      if (source === undefined) this.add(named, entry, number);
      else if (this.entries.get(named.host)?.has(named.tensor)) this.conflicts.push(twoEntries(named));
      else this.wantedTies.add({ candidate: named, source, entry, rule: number });
      this.freeze(candidate, entry);
      return false;
    });
    const { ties, unchanged, conflicts: rivals } = this.wantedTies.resolve(this.caller);
    this.ties.push(...ties);
    this.unchanged.push(...unchanged.map((tie) => ({ ...tie, kind: TIE_KIND })));
    for (const { candidate, isTwice } of rivals) {
      this.conflicts.push(isTwice ? twoEntries(candidate) : this.conflictOf(candidate));
    }
    const { caller, conflicts, stale } = this;
    if (stale.length > 0) {
      const remedy = 'Make the plan again, or pass the recipe as text, which has no memory of a plan.';
      throw new ParametrizeError('STALE_PLAN', { caller, fact: stale.join('; '), remedy });
    }
    checkConflicts(caller, conflicts);
    return missing;
  }

  /** True if a step of this recipe may make the tensor of an entry. */
  mayAppear({ entry: { path } }: NumberedEntry): boolean {
    const above = this.finder.chainAbove(path);
    return above !== null && this.entries.get(above.host)?.has(above.tensor) === true;
  }

  /** Lists an entry of a tensor that the steps are expected to make. */
  expect(missing: NumberedEntry): void {
    const candidate = absent(missing.entry, this.candidates.length);
    this.candidates.push(candidate);
    this.freeze(candidate, missing.entry);
    for (const { kind, options, apply } of this.checked(missing.entry)) {
      this.steps.push({ candidate, rule: missing.number, kind, apply, options, replaces: null });
    }
  }

  /**
   * Skips entries of tensors that the model lacks, or refuses them.
   *
   * @throws {@link ParametrizeError} `UNKNOWN_TENSOR` if `strict` is true
   */
  leaveOut(missing: readonly NumberedEntry[], strict: boolean): void {
    if (missing.length === 0) return;
    if (strict) {
      const lacking = missing.map(({ entry }) => (this.has(entry) ? entry.tiedTo! : entry));
      throw unknownTensors(this.caller, lacking, this.candidates);
    }
    for (const { entry, number } of missing) {
      this.unmatched.push(number);
      const candidate = { ...absent(entry, -1), paths: [] };
      if (entry.tiedTo !== undefined) {
        const { path, tensor } = entry.tiedTo;
        const lack = this.has(entry) ? `tensor '${joinPath(path, tensor)}'` : 'such tensor';
        this.skipped.push({ candidate, rule: number, kind: TIE_KIND, reason: `the model has no ${lack}` });
      }
      for (const { kind } of entry.steps) {
        this.skipped.push({ candidate, rule: number, kind, reason: 'the model has no such tensor' });
      }
    }
  }

  private has({ path, tensor }: RecipeTie): boolean {
    return this.finder.find(path, tensor, this.candidates.length) !== null;
  }

  /** Returns the source of the tie of an entry, null if the model lacks it, or undefined for another entry. */
  private sourceOf({ tiedTo }: TensorRecipe): TieRoot | null | undefined {
    if (tiedTo === undefined) return undefined;
    const found = this.finder.find(tiedTo.path, tiedTo.tensor, this.candidates.length);
    return found && { host: found.host, name: found.tensor, isTransposed: tiedTo.transpose === true };
  }

  /** The conflict of an entry with what a tensor has. */
  private conflictOf({ list, registered, ...candidate }: FoundCandidate): Conflict {
    const tied = tiedPath(this.candidates, list);
    const has = tied === null ? `has ${registered.map(stepText).join(' → ')}` : `is tied to '${tied}'`;
    const remedy = 'Remove the parametrizations of these tensors, or leave them out of the recipe.';
    return { fact: `'${joinPath(candidate.path, candidate.tensor)}' ${has} already`, remedy };
  }

  private freeze(candidate: FoundCandidate, entry: TensorRecipe): void {
    if (entry.frozen === undefined) return;
    this.frozen.set(candidate.index, entry.frozen);
    this.freezing.push({ candidate, entry });
  }

  private add(candidate: FoundCandidate, entry: TensorRecipe, rule: number): void {
    const wanted = this.checked(entry);
    const label = tensorPath(candidate);
    const planned = this.entries.get(candidate.host)?.get(candidate.tensor);
    const note = planNoteOf(this.model, entry);
    const found = candidate.list === null ? [] : stepsOn(candidate.list);
    const keep = (): void => {
      for (const { kind } of wanted) this.unchanged.push({ candidate, rule, kind });
    };
    const isTied = this.wantedTies.sourceOf(candidate.host, candidate.tensor) !== undefined;
    if (planned !== undefined || isTied) {
      if (!isTied && isSameData(planned, wanted)) keep();
      else this.conflicts.push(twoEntries(candidate));
      return;
    }
    this.entries.set(
      candidate.host,
      (this.entries.get(candidate.host) ?? new Map<string, readonly CheckedStep[]>()).set(
        candidate.tensor,
        wanted,
      ),
    );
    if (note !== undefined && !isSameData(note.shape, candidate.shape)) {
      const shapes = `${formatShape(candidate.shape)}, and had ${formatShape(note.shape)}`;
      this.stale.push(`'${label}' has the shape ${shapes} when the recipe was planned`);
    } else if (isChain(candidate, found, note === undefined ? wanted : chainAfter(note, wanted))) {
      keep();
    } else if (isSameData(dataOf(found), note?.before ?? [])) {
      for (const [i, { kind, apply, options }] of wanted.entries()) {
        const at = note?.replaced[i] ?? null;
        const replaces = at === null ? null : found[at]!.registered[0]!;
        this.steps.push({ candidate, rule, kind, apply, options, replaces });
      }
    } else if (note !== undefined) {
      this.stale.push(`'${label}' has other parametrizations than when the recipe was planned`);
    } else {
      this.conflicts.push(this.conflictOf(candidate));
    }
  }

  /** Returns the steps of an entry with their functions, and with checked options. */
  private checked(entry: TensorRecipe): CheckedStep[] {
    const { caller, catalog } = this;
    checkInCatalog(entry, catalog, caller);
    return entry.steps.map(({ kind, options }) => {
      const apply = catalog[kind]!;
      const definition = definitionOf(apply);
      const named = `${caller}: '${joinPath(entry.path, entry.tensor)}'`;
      const checked = definition === undefined ? options : checkedOptions(definition, named, options);
      return { kind, apply, options: { ...checked } };
    });
  }
}

const twoEntries = (candidate: FoundCandidate): Conflict => ({
  fact: `two entries are about '${tensorPath(candidate)}', with other steps`,
  remedy: 'Leave one of the entries out of the recipe.',
});

const dataOf = (found: readonly FoundStep[]): unknown => found.map(({ step }) => step);

/** Returns the chain that a tensor has after the planned steps. */
function chainAfter({ before, replaced }: PlanNote, wanted: readonly WantedStep[]): WantedStep[] {
  const kept = before.map((step, at): WantedStep => wanted[replaced.indexOf(at)] ?? { ...step, apply: null });
  return [...kept, ...wanted.filter((_, i) => (replaced[i] ?? null) === null)];
}
