export type { Catalog, Recipe, RecipeStep, RecipeTie, TensorRecipe } from '../stateDict/recipe.ts';
export { catalog } from './catalog.ts';
export { clone } from './clone.ts';
export type { ElementCount } from './countOf.ts';
export { type DescribeOptions, describe } from './describe.ts';
export type {
  DescribedOriginal,
  DescribedTensor,
  DescribedTotals,
  Description,
  DescriptionData,
  HTMLOptions,
  PlainTensor,
} from './description.ts';
export { evaluate } from './evaluate/evaluate.ts';
export { fold } from './fold.ts';
export { initialize } from './initialize.ts';
export { type MinimizeOptions, minimize } from './minimize.ts';
export { type ApplyRecipeOptions, applyRecipe } from './recipes/applyRecipe.ts';
export { recipeOf } from './recipes/recipeOf.ts';
export { type ParametrizeOptions, parametrize } from './rules/parametrize.ts';
export type { MovedTensor, ParametrizeReport, RuledTensor, SkippedTensor } from './rules/report.ts';
export type { Apply, Rule } from './rules/rule.ts';
export type { Candidate } from './select/candidate.ts';
export type { ParameterSelector } from './select/parameterSelector.ts';
export type { HostType, OneOrMore, Pattern, Selector } from './select/selector.ts';
export { syncOptimizer } from './syncOptimizer.ts';
export { type ClipOptions, clipGradients } from './training/clipGradients.ts';
export { type CopyOptions, copyInto } from './training/copyInto.ts';
export { type Frozen, freeze } from './training/freeze.ts';
export { type Group, type GroupOptimizer, groupOptimizer } from './training/groupOptimizer.ts';
export {
  type BatchInitialization,
  type BatchInitialized,
  initializeFromBatch,
} from './training/initializeFromBatch.ts';
export { squaredNorms } from './training/squaredNorms.ts';
export { type StepSelector, without } from './without.ts';
