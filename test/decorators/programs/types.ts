import * as tf from '@tensorflow/tfjs-core';
import {
  type CatalogFunction,
  nn,
  orthogonal,
  pure,
  Symmetric,
  spectralNorm,
  symmetric,
  weightNorm,
} from 'tfjs-parametrize';
import { parametrizationsOf, parametrized, parametrizedModule } from 'tfjs-parametrize/decorators';

// Declarations that people write. They must compile in each mode of decorators, but for the lines below
// `@ts-expect-error`, which must not. The compiler checks this file; nothing runs it.

interface Bound {
  readonly limit?: number;
}
declare function bounded(host: nn.Module, name: string, options?: Bound): nn.Module;
declare const catalog: CatalogFunction<Bound>;

@parametrizedModule
export class Net extends nn.Module {
  @parametrized(weightNorm, { dim: 0 }) weight: tf.Tensor = nn.parameter(() => tf.ones([3, 3]));
  @parametrized(weightNorm) variable = nn.parameter(() => tf.ones([3, 3]));
  @parametrized(symmetric) optional: tf.Tensor | null = null;
  @parametrized(spectralNorm, { nPowerIterations: 2 }) spectral!: tf.Tensor;
  @parametrized(bounded, { limit: 3 }) own!: tf.Tensor;
  @parametrized(catalog, { limit: 3 }) listed?: tf.Tensor;
  @parametrized(() => new Symmetric()) made!: tf.Tensor2D;
  @parametrized(() => (x: tf.Tensor) => tf.exp(x), { unsafe: true }) map!: tf.Tensor;
  @parametrized(() => pure((x) => tf.exp(x))) pureMap!: tf.Tensor;
  @parametrized(weightNorm) @parametrized(() => new Symmetric()) stacked!: tf.Tensor;
  @parametrized(weightNorm) linear = new nn.Linear(1, 1);
  @parametrized(weightNorm, { name: 'weight', dim: null }) conv = new nn.Conv1d(1, 1, 1);
  @parametrized(symmetric, { name: 'weight' }) square = new nn.Linear(1, 1);
  @parametrized(orthogonal, { name: 'weight_hh_l0', orthogonalMap: 'cayley' }) rnn = new nn.RNN(3, 3);
  @parametrized(weightNorm, { name: 'bias' }) list = new nn.ModuleList([new nn.Linear(1, 1)]);
  @parametrized(weightNorm, { name: '0' }) parameters0 = new nn.ParameterList();
  @parametrized(weightNorm, { name: 'anything' }) base!: nn.Module;
  override forward(x: tf.Tensor): tf.Tensor {
    return x;
  }
}

void parametrizationsOf(Net);

@parametrizedModule({
  rules: [
    { match: 'a', apply: null },
    { type: nn.Linear, apply: weightNorm, options: { dim: 0 } },
    { apply: spectralNorm, options: ({ shape }) => (shape.length > 1 ? { nPowerIterations: 2 } : null) },
    { apply: 'mine', optional: true },
  ],
  catalog: { mine: bounded },
})
export class Ruled extends Net {}

// @ts-expect-error an option of something else
parametrizedModule({ rules: [{ apply: weightNorm, options: { dimension: 0 } }] });
// @ts-expect-error a misspelt condition
parametrizedModule({ rules: [{ matches: '**', apply: weightNorm }] });
// @ts-expect-error no rules
parametrizedModule({ catalog: {} });

export abstract class Wrong {
  // @ts-expect-error an option of something else
  @parametrized(weightNorm, { dimension: 0 }) option!: tf.Tensor;
  // @ts-expect-error an option of a function that has none
  @parametrized(symmetric, { dim: 0 }) noOption!: tf.Tensor;
  // @ts-expect-error an option of the wrong type
  @parametrized(spectralNorm, { dim: 'x' }) type!: tf.Tensor;
  // @ts-expect-error an option of the wrong value
  @parametrized(orthogonal, { orthogonalMap: 'qr' }) value!: tf.Tensor;
  // @ts-expect-error an option of another function
  @parametrized(bounded, { dim: 0 }) other!: tf.Tensor;
  // @ts-expect-error an option of a function beside a factory
  @parametrized(() => new Symmetric(), { dim: 0 }) factory!: tf.Tensor;
  // @ts-expect-error a text
  @parametrized(weightNorm) text = 'text';
  // @ts-expect-error a number
  @parametrized(weightNorm) number!: number;
  // @ts-expect-error perhaps a number
  @parametrized(weightNorm) either!: tf.Tensor | number;
  // @ts-expect-error an array of modules
  @parametrized(weightNorm) array = [new nn.Linear(1, 1)];
  // @ts-expect-error a misspelt name
  @parametrized(weightNorm, { name: 'wieght' }) name = new nn.Linear(1, 1);
  // @ts-expect-error a misspelt name of the elements
  @parametrized(weightNorm, { name: 'wieght' }) names = new nn.ModuleList([new nn.Linear(1, 1)]);
  // @ts-expect-error the name of something that is no tensor
  @parametrized(weightNorm, { name: 'training' }) property = new nn.Linear(1, 1);
  // @ts-expect-error a name beside a tensor
  @parametrized(weightNorm, { name: 'weight' }) named!: tf.Tensor;
  // @ts-expect-error a map, not what makes one
  @parametrized((x: tf.Tensor) => tf.exp(x)) map!: tf.Tensor;
  // @ts-expect-error an object that all would share
  @parametrized(new Symmetric()) shared!: tf.Tensor;
  // @ts-expect-error a class
  @parametrized(Symmetric) type2!: tf.Tensor;
  // @ts-expect-error a factory of something else
  @parametrized(() => 3) three!: tf.Tensor;
  // @ts-expect-error a method
  @parametrized(weightNorm) method(): void {}
  // @ts-expect-error a decorator that was not called
  @parametrized uncalled!: tf.Tensor;
}
