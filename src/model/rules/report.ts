import * as tf from '@tensorflow/tfjs-core';
import { joinPath } from '../../core/paths.ts';
import { formatShape, sizeOf } from '../../core/shapes.ts';
import { pluralize } from '../../core/text.ts';
import { textTable } from '../../core/textTable.ts';
import { configOf, definitionOf, valueText } from '../../parametrize/definition.ts';
import type { Parametrization, ParametrizationLike } from '../../parametrize/parametrization.ts';
import { recipeWith } from '../../stateDict/checkedRecipe.ts';
import { frozenOriginals } from '../../stateDict/frozenOriginals.ts';
import type { Recipe, RecipeStep, RecipeTie, TensorRecipe } from '../../stateDict/recipe.ts';
import { type FoundCandidate, tensorPath } from '../select/candidate.ts';
import type { AppliedStep } from './applyPlan.ts';
import type { Plan, PlannedStep } from './plan.ts';
import { notePlan } from './planNotes.ts';
import { stepText } from './stepText.ts';

/** A tensor that a rule, or an entry of a recipe, is about. */
export interface RuledTensor {
  /** The path of the host in the model; empty for the model itself. */
  readonly path: string;
  /** Every path of the host: a shared module has several. */
  readonly paths: readonly string[];
  /** The name of the tensor in the host. */
  readonly tensor: string;
  /** The shape of the tensor. */
  readonly shape: readonly number[];
  /** The number of the rule, or of the entry of the recipe, from 0. */
  readonly rule: number;
  /** The kind of parametrization: the name of the function that registers it. That of a tie is `tie`. */
  readonly kind: string;
}

/** A tensor that stays as it is. A tensor that the model lacks has no paths, and the shape `[]`. */
export interface SkippedTensor extends RuledTensor {
  /** The reason, as the end of a sentence. */
  readonly reason: string;
}

/** A tensor whose value a step moved into the set of its map. */
export interface MovedTensor extends RuledTensor {
  /** `‖after − before‖ / ‖before‖`, with the Frobenius norm; `‖after‖` for zeros. */
  readonly distance: number;
}

/**
 * The result of {@link parametrize} or {@link applyRecipe}, or with `dryRun` what it would be. Converted to a string,
 * it is a table.
 */
export interface ParametrizeReport {
  /** True if nothing was changed, because the call had `dryRun`. */
  readonly isDryRun: boolean;
  /** The steps that were registered, in the order in which they were. */
  readonly registered: readonly RuledTensor[];
  /**
   * The steps whose map constrains the tensor to a set that its value did not belong to, so the value was moved. They
   * are known on backends that have the numbers in the memory of the process (cpu, wasm); elsewhere, call
   * {@link checked} or `contains`.
   */
  readonly moved: readonly MovedTensor[];
  /** The steps that were there already: a second call registers nothing. */
  readonly unchanged: readonly RuledTensor[];
  /** The tensors that stay as they are, with the reason; also those of a recipe that the model lacks. */
  readonly skipped: readonly SkippedTensor[];
  /** The numbers, from 0, of `optional` rules that matched nothing, or of entries of tensors that the model lacks. */
  readonly unmatched: readonly number[];
  /** The tensors of rank 2 and more that no rule matched, or that no entry of the recipe names. */
  readonly untouched: readonly Omit<RuledTensor, 'rule' | 'kind'>[];
  /** The registered steps as data, for {@link applyRecipe}. */
  readonly recipe: Recipe;
  /** Removes the steps that the call registered and that are still there. The values of the tensors stay. */
  undo(): void;
  /** The report as a table: one line a tensor, then totals. */
  toString(): string;
}

/** The kind of ties in reports. */
export const TIE_KIND = 'tie';

/** Makes the report of a plan. */
export function reportOf(
  model: object,
  plan: Plan,
  applied: readonly AppliedStep[] | null,
  undo: () => void,
): ParametrizeReport {
  const steps = plan.steps.map((step, i) => ({ step, applied: applied?.[i] }));
  const ties = plan.ties ?? [];
  const untouched = plan.candidates
    .filter(({ index, shape }) => shape.length > 1 && !plan.matched.has(index))
    .map(placeOf);
  return {
    isDryRun: applied === null,
    registered: [...plan.steps, ...ties.map((tie) => ({ ...tie, kind: TIE_KIND }))].map(
      ({ candidate, rule, kind }) => ({ ...placeOf(candidate), rule, kind }),
    ),
    moved: (applied ?? [])
      .filter(({ moved }) => isMoved(moved))
      .map(({ step: { candidate, rule, kind }, moved }) => ({
        ...placeOf(candidate),
        rule,
        kind,
        distance: moved!,
      })),
    unchanged: plan.unchanged.map(({ candidate, rule, kind }) => ({ ...placeOf(candidate), rule, kind })),
    skipped: plan.skipped.map(({ candidate, rule, kind, reason }) => ({
      ...placeOf(candidate),
      rule,
      kind,
      reason,
    })),
    unmatched: plan.unmatched,
    untouched,
    recipe: recipeOfSteps(model, steps, plan),
    undo,
    toString: () => tableOf(plan, applied),
  };
}

/** The distance from which a value was moved; below, it differs by rounding errors. */
const ROUNDING = 1e-5;

const isMoved = (distance: number | null | undefined): boolean => (distance ?? 0) > ROUNDING;

const movedText = (distance: number): string =>
  distance < 0.001 ? distance.toExponential(0) : `${Number((100 * distance).toPrecision(2))} %`;

const placeOf = ({ path, paths, tensor, shape }: FoundCandidate): Omit<RuledTensor, 'rule' | 'kind'> => ({
  path,
  paths,
  tensor,
  shape,
});

interface ReportedStep {
  readonly step: Plan['steps'][number];
  readonly applied: AppliedStep | undefined;
}

function recipeOfSteps(
  model: object,
  steps: readonly ReportedStep[],
  { frozen, ties = [] }: Pick<Plan, 'frozen' | 'ties'>,
): Recipe {
  const entries = new Map<number, TensorRecipe & { steps: RecipeStep[] }>();
  const planned = new Map<number, PlannedStep[]>();
  for (const { step, applied } of steps) {
    const { index, path, tensor } = step.candidate;
    const names = frozen?.get(index);
    const fields = applied === undefined ? names && { frozen: names } : frozenOriginals(applied.list);
    const entry = entries.get(index) ?? { path, tensor, steps: [], ...fields };
    entries.set(index, entry);
    planned.set(index, [...(planned.get(index) ?? []), step]);
    const made = applied?.registered.length === 1 ? applied.registered[0] : undefined;
    entry.steps.push({ kind: step.kind, options: optionsOf(made) ?? dataIn(step.options) });
  }
  for (const [index, entry] of entries) notePlan(model, entry, planned.get(index)!);
  return recipeWith([...entries.values(), ...ties.map(({ entry }) => entry)]);
}

/** Returns the options of a call; none if they have a tensor, which is state and no data. */
const dataIn = (options: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  Object.values(options).some((value) => value instanceof tf.Tensor) ? {} : options;

function optionsOf(registered: ParametrizationLike | undefined): Record<string, unknown> | undefined {
  const definition = definitionOf(registered);
  return definition && configOf(definition, registered as Parametrization);
}

function tableOf(
  { unit, candidates, steps, ties = [], unchanged, skipped }: Plan,
  applied: readonly AppliedStep[] | null,
): string {
  const rows = [
    ...steps.map(({ candidate, rule, kind, options, ...step }, i) => {
      const changed = applied?.[i]?.changes.at(-1)?.registered ?? null;
      const now = changed === null ? applied?.[i]?.registered : [changed];
      const made = now?.map(stepText).join(' → ') || plannedText(kind, options);
      const replaces = step.replaces ?? changed;
      return row(
        candidate,
        rule,
        `${replaces === null ? '+' : '±'} ${made}${isMoved(applied?.[i]?.moved) ? `, value moved by ${movedText(applied![i]!.moved!)}` : ''}`,
        chainText(candidate, made, replaces),
      );
    }),
    ...ties.map(({ candidate, rule, entry }) => {
      const text = tieText(entry.tiedTo!);
      return row(candidate, rule, `+ ${text}`, text);
    }),
    ...unchanged.map(({ candidate, rule, kind }) => row(candidate, rule, `= ${kind}`, chainText(candidate))),
    ...skipped.map(({ candidate, rule, kind, reason }) =>
      row(candidate, rule, `– ${kind}: ${reason}`, chainText(candidate)),
    ),
  ];
  const tensors = new Map([...steps, ...ties].map(({ candidate }) => [candidate.index, candidate]));
  const count = [...tensors.values()].reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const all = candidates.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const share = all === 0 ? 0 : Math.round((100 * count) / all);
  const verb = applied === null ? 'would be parametrized' : 'parametrized';
  const total = `${tensors.size} of ${pluralize(candidates.length, 'tensor')} ${verb}, ${share} % of the elements`;
  if (rows.length === 0) return total;
  const head = ['tensor', 'shape', unit, 'change', 'chain', 'trained'];
  return `${textTable([head, ...rows], (column) => column === 2)}\n${total}`;
}

const row = (candidate: FoundCandidate, rule: number, change: string, chain: string): string[] => [
  tensorPath(candidate),
  formatShape(candidate.shape),
  String(rule + 1),
  change,
  chain,
  isTrained(candidate) ? 'yes' : 'no',
];

const isTrained = ({ variable, list }: FoundCandidate): boolean =>
  variable?.trainable ?? list?.parameters().some(({ trainable }) => trainable) ?? false;

function chainText(
  { registered }: FoundCandidate,
  added?: string,
  replaces?: ParametrizationLike | null,
): string {
  const before = registered.map((one) => (one === replaces ? added! : stepText(one)));
  return [...before, ...(added === undefined || replaces ? [] : [added])].join(' → ');
}

const tieText = ({ path, tensor, transpose }: RecipeTie): string =>
  `tied to ${joinPath(path, tensor)}${transpose ? ', transposed' : ''}`;

function plannedText(kind: string, options: Readonly<Record<string, unknown>>): string {
  const given = Object.entries(options).map(([name, value]) => `${name}=${valueText(value)}`);
  return `${kind}(${given.join(', ')})`;
}
