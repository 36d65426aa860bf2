import { ParametrizeError } from '../../core/errors.ts';
import { joinPath } from '../../core/paths.ts';
import { formatShape } from '../../core/shapes.ts';
import { nearest } from '../../core/text.ts';
import { checkedOptions, definitionOf } from '../../parametrize/definition.ts';
import { isSameData } from '../../stateDict/appliedSteps.ts';
import { type Catalog, checkInCatalog, type TensorRecipe } from '../../stateDict/recipe.ts';
import { type FoundStep, stepsOn } from '../../stateDict/tensorRecipes.ts';
import { type Conflict, checkConflicts } from '../rules/checkConflicts.ts';
import type { Plan, PlannedStep, Skipped } from '../rules/plan.ts';
import { type PlanNote, planNoteOf } from '../rules/planNotes.ts';
import { stepText } from '../rules/stepText.ts';
import { candidatesOf, type FoundCandidate, tensorPath } from '../select/candidate.ts';
import { isChain, type WantedStep } from './isChain.ts';
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
  private readonly finder: TensorFinder;
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
      if (candidate === null) return true;
      if (candidate.index === this.candidates.length) this.candidates.push(candidate);
      this.matched.add(candidate.index);
      this.add({ ...candidate, path }, entry, number);
      this.freeze(candidate, entry);
      return false;
    });
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
    if (strict) throw unknownTensors(this.caller, missing, this.candidates);
    for (const { entry, number } of missing) {
      this.unmatched.push(number);
      const candidate = { ...absent(entry, -1), paths: [] };
      for (const { kind } of entry.steps) {
        this.skipped.push({ candidate, rule: number, kind, reason: 'the model has no such tensor' });
      }
    }
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
    if (planned !== undefined) {
      if (isSameData(planned, wanted)) keep();
      else {
        const fact = `two entries are about '${label}', with other steps`;
        this.conflicts.push({ fact, remedy: 'Leave one of the entries out of the recipe.' });
      }
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
      const fact = `'${label}' has ${candidate.registered.map(stepText).join(' → ')} already`;
      const remedy = 'Remove the parametrizations of these tensors, or leave them out of the recipe.';
      this.conflicts.push({ fact, remedy });
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

const dataOf = (found: readonly FoundStep[]): unknown => found.map(({ step }) => step);

/** Returns the chain that a tensor has after the planned steps. */
function chainAfter({ before, replaced }: PlanNote, wanted: readonly WantedStep[]): WantedStep[] {
  const kept = before.map((step, at): WantedStep => wanted[replaced.indexOf(at)] ?? { ...step, apply: null });
  return [...kept, ...wanted.filter((_, i) => (replaced[i] ?? null) === null)];
}

/** A candidate for a tensor that does not exist. */
const absent = ({ path, tensor }: TensorRecipe, index: number): FoundCandidate => ({
  index,
  host: {},
  path,
  paths: [path],
  tensor,
  type: '',
  shape: [],
  dtype: 'float32',
  registered: [],
  list: null,
  variable: null,
  isMain: false,
});

/** The largest number of tensors that an error lists. */
const maxListed = 8;

function unknownTensors(
  caller: string,
  missing: readonly NumberedEntry[],
  candidates: readonly FoundCandidate[],
): ParametrizeError {
  const known = candidates.map(tensorPath);
  const listed = missing.slice(0, maxListed).map(({ entry }) => {
    const label = joinPath(entry.path, entry.tensor);
    const near = nearest(label, known, 2).map((path) => `'${path}'`);
    return `'${label}'${near.length === 0 ? '' : ` (nearest: ${near.join(', ')})`}`;
  });
  const rest = missing.length > maxListed ? ` and ${missing.length - maxListed} more` : '';
  return new ParametrizeError('UNKNOWN_TENSOR', {
    caller,
    fact: `the model has no tensor ${listed.join(', ')}${rest}`,
    remedy: 'Build the model that the recipe was made of, or pass strict: false to leave these tensors out.',
  });
}
