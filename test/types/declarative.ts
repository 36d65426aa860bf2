import * as tf from '@tensorflow/tfjs-core';
import {
  applyRecipe,
  defineParametrization,
  nn,
  Parametrization,
  parametrize,
  removeParametrization,
  spectralNorm,
  unitNorm,
  weightNorm,
} from 'tfjs-parametrize';

// Mistakes in calls on whole models. The lines below `@ts-expect-error` must not compile. The compiler checks this file;
// nothing runs it.

class Adapted extends Parametrization {
  override forward(x: tf.Tensor): tf.Tensor {
    return tf.neg(x);
  }
}
const adapted = defineParametrization<Adapted, { readonly rank?: number }>({
  name: 'adapted',
  class: Adapted,
  options: { rank: { default: 1, expected: 'a whole number', accepts: (rank) => rank > 0 } },
  make: () => new Adapted(),
});

export function mistakes(model: nn.Sequential, text: string): void {
  parametrize(model, [
    { type: nn.Linear, apply: weightNorm, options: { dim: 0 } },
    { match: '**', apply: spectralNorm, options: ({ shape }) => (shape.length > 1 ? { eps: 1e-6 } : null) },
    { match: 'head', apply: null },
    { apply: adapted, options: () => ({ rank: 4 }) },
  ]);
  // @ts-expect-error an option of another function
  parametrize(model, [{ match: '**', apply: spectralNorm, options: { dims: 0 } }]);
  parametrize(model, [
    { apply: weightNorm, options: { dim: 0 } },
    // @ts-expect-error an option of the first rule, which the second does not have
    { apply: unitNorm, options: { dim: 0 } },
  ]);
  // @ts-expect-error what apply is not
  parametrize(model, [{ match: '**', apply: 3 }]);
  // @ts-expect-error a misspelt condition
  parametrize(model, [{ matches: '**', apply: weightNorm }]);
  // @ts-expect-error recipes need a catalog
  applyRecipe(model, text);
  // @ts-expect-error neither value nor originals
  removeParametrization(model, 'weight', 0, { keep: 'all' });
  // @ts-expect-error options of a function of the tensor
  parametrize(model, [{ apply: adapted, options: () => ({ rnak: 4 }) }]);
}
