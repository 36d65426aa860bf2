import * as tf from '@tensorflow/tfjs-core';
import {
  applyRecipe,
  cached,
  catalog,
  fold,
  insertParametrization,
  nn,
  Parametrization,
  type ParametrizationList,
  ParametrizeError,
  parametrizationsOn,
  pure,
  type Recipe,
  recipeOf,
  registerParametrization,
  removeParametrization,
  removeParametrizations,
  reorderParametrizations,
  spectralNorm,
  symmetric,
  syncOptimizer,
  type TensorNameOf,
  valueOf,
  WeightNorm,
  weightNorm,
  without,
} from 'tfjs-parametrize';
import * as legacy from 'tfjs-parametrize/legacy';
import {
  Linear,
  type LSTM,
  Module,
  ModuleList,
  type ParameterDict,
  type ParameterList,
  parameter,
} from 'tfjs-parametrize/nn';

// Programs that people write. They must compile, but for the lines below `@ts-expect-error`, which must not.
// The compiler checks this file; nothing runs it.

/** A layer of another library, known to the types through declaration merging alone. */
export interface ForeignLayer {
  readonly foreign: true;
}
declare module 'tfjs-parametrize' {
  interface HostTypes {
    /** As `tfjs-parametrize/layers` will declare its own. */
    foreign: { host: ForeignLayer; name: 'kernel' | 'recurrentKernel' };
  }
}

class Net extends Module {
  first = new Linear(4, 8);
  second = new Linear(8, 3, { bias: false });
  scale: tf.Tensor = parameter(() => tf.ones([3]));
  shift: tf.Tensor | null = null;
  label = 'net';

  constructor() {
    super();
    registerParametrization(this, 'scale', (x) => tf.softplus(x));
    registerParametrization(this.first, 'weight', new WeightNorm());
    weightNorm(this.second);
    weightNorm(this, 'scale', { dim: null });
  }

  override forward(x: tf.Tensor): tf.Tensor {
    const hidden = tf.relu(this.first.call(x));
    return tf.mul(this.second.call(hidden), this.scale);
  }
}

export function namesByPattern(list: ParameterList, dict: ParameterDict, lstm: LSTM, index: number): void {
  const same: ParameterList = weightNorm(list, '0');
  registerParametrization(same, `${index}`, (x) => x);
  weightNorm(dict, 'left');
  weightNorm(lstm, 'weight_hh_l1');
  // @ts-expect-error a name that is no index
  weightNorm(list, 'zero');
  // @ts-expect-error a property of a list that is no tensor
  weightNorm(list, 'length');
  // @ts-expect-error a list of modules has no tensors
  weightNorm(new ModuleList([new Linear(1, 1)]), '0');
  // @ts-expect-error a misspelt name
  weightNorm(lstm, 'weight_hx_l1');
  // @ts-expect-error a property that is no tensor
  weightNorm(lstm, 'training');
}

export function namesOfTypedHosts(net: Net, linear: Linear): void {
  const same: Net = registerParametrization(
    net,
    'scale',
    pure((x) => tf.exp(x)),
  );
  registerParametrization(net, 'shift', (x) => x);
  registerParametrization(linear, 'bias', { forward: (x) => x, dependencies: [] });
  registerParametrization(linear, 'weight', new WeightNorm(), { unsafe: true });
  weightNorm(linear, 'weight', { dim: [0, -1], eps: 1e-6 });
  symmetric(linear);
  // @ts-expect-error a misspelt name
  registerParametrization(linear, 'wieght', new WeightNorm());
  // @ts-expect-error a misspelt name
  weightNorm(linear, 'wieght');
  // @ts-expect-error a field that is no tensor
  registerParametrization(net, 'label', (x) => x);
  // @ts-expect-error a field that is a module
  registerParametrization(net, 'first', (x) => x);
  // @ts-expect-error an option of something else
  weightNorm(linear, 'weight', { dimension: 0 });
  // @ts-expect-error no option
  registerParametrization(linear, 'weight', (x) => x, { safe: true });
  // @ts-expect-error a number is no parametrization
  registerParametrization(linear, 'weight', 3);
  // @ts-expect-error a forward that gives no tensor
  registerParametrization(linear, 'weight', () => 'value');
  // @ts-expect-error no host
  registerParametrization(null, 'weight', (x) => x);
  void same;
}

/** Editors complete the names of tensors from this type. */
export function namesThatATypeTells(): void {
  const ofModule: TensorNameOf<Net> = 'scale';
  const ofPlainObject: TensorNameOf<{ kernel: tf.Variable; size: number }> = 'kernel';
  const ofForeignLayer: TensorNameOf<ForeignLayer> = 'recurrentKernel';
  // @ts-expect-error a field that is no tensor
  const other: TensorNameOf<Net> = 'label';
  // @ts-expect-error a base class tells no names
  const ofBase: TensorNameOf<Module> = 'weight';
  void [ofModule, ofPlainObject, ofForeignLayer, other, ofBase];
}

export function mainWeights(linear: Linear, layer: ForeignLayer): void {
  weightNorm(linear);
  weightNorm(linear, { dim: null });
  weightNorm(linear, undefined, { dim: null });
  weightNorm(layer, { dim: null });
  // @ts-expect-error an option of something else
  weightNorm(linear, { dimension: 0 });
  // @ts-expect-error no options
  symmetric(linear, { dim: 0 });
}

export function hostsOfUnknownType(module: Module, name: string): void {
  for (const child of module.modules()) {
    registerParametrization(child, 'weight', (x) => x);
    weightNorm(child, 'weight');
    weightNorm(child);
  }
  registerParametrization(new Linear(2, 2), name, (x) => x);
  weightNorm(new Linear(2, 2), name);
}

export function plainObjects(): void {
  const host = { kernel: tf.variable(tf.ones([2])) as tf.Tensor, size: 2 };
  const same: typeof host = registerParametrization(host, 'kernel', (x) => tf.abs(x));
  weightNorm(host, 'kernel', { dim: null });
  // @ts-expect-error no tensor
  registerParametrization(host, 'size', (x) => x);
  // @ts-expect-error no such field
  registerParametrization(host, 'bias', (x) => x);
  const table: Record<string, tf.Tensor> = {};
  registerParametrization(table, 'any', (x) => x);
  void same;
}

export function foreignHosts(layer: ForeignLayer): void {
  registerParametrization(layer, 'kernel', (x) => x);
  weightNorm(layer, 'recurrentKernel');
  weightNorm(layer);
  // @ts-expect-error a misspelt name of a foreign host
  registerParametrization(layer, 'kernal', (x) => x);
  // @ts-expect-error a misspelt name of a foreign host
  weightNorm(layer, 'kernal');
}

export async function results(net: Net): Promise<void> {
  const list: ParametrizationList | undefined = net.first.parametrizations?.['weight'];
  const g: tf.Variable | undefined = list?.g;
  const original: tf.Variable | undefined = parametrizationsOn(net, 'scale').original;
  const third: tf.Variable | undefined = list?.original2;
  // @ts-expect-error a list of several originals has no `original`
  const only: tf.Variable = parametrizationsOn(net, 'scale').original;
  // @ts-expect-error a list of one original has no `original0`
  const first: tf.Variable = parametrizationsOn(net, 'scale').original0;
  // @ts-expect-error a misspelt name
  void list?.orignal;
  // @ts-expect-error the chain may be of another map, which has no lengths
  const length: tf.Variable = parametrizationsOn(net, 'scale').g;
  const value: tf.Tensor = valueOf(net, 'scale');
  const number: number = cached(() => 3);
  const later: number = await cached(async () => 3);
  const names: string[] = fold(net);
  const edited: nn.Linear = insertParametrization(new nn.Linear(2, 2), 'weight', tf.tanh, {
    after: 'weightNorm',
  });
  removeParametrization(edited, 'weight', WeightNorm, { keep: 'originals' });
  reorderParametrizations(edited, 'weight', [-1, 'weightNorm', tf.tanh]);
  const clean: number = without(edited, { match: '**', step: WeightNorm }, () => 3);
  // @ts-expect-error neither the value nor the originals
  removeParametrization(edited, 'weight', 0, { keep: 'all' });
  // @ts-expect-error no place
  insertParametrization(edited, 'weight', tf.tanh, {});
  // @ts-expect-error a misspelt condition
  without(edited, { steps: 0 }, () => 3);
  const same: Net = removeParametrizations(net, 'scale');
  const copy: Net = net.clone();
  syncOptimizer(tf.train.adam(), net.parameters());
  {
    using scope = cached();
    void scope;
  }
  // @ts-expect-error a promise is no function
  cached(Promise.resolve(3));
  const y: tf.Tensor = net.call(tf.ones([1, 4]));
  // @ts-expect-error a string is no tensor
  net.call('x');
  void [g, length, original, third, only, first, value, number, later, names, clean, same, copy, y];
}

export function hookApi(net: Net, linear: Linear, lstm: LSTM, module: Module, name: string): void {
  const normed = legacy.weightNorm(linear);
  const g: tf.Variable = normed.weight_g;
  const v: tf.Variable = legacy.weightNorm(linear, 'weight', null).weight_v;
  const u: tf.Variable = legacy.spectralNorm(linear, 'bias', { nPowerIterations: 2 }).bias_u;
  const hidden: tf.Variable = legacy.weightNorm(lstm, 'weight_hh_l0').weight_hh_l0_g;
  const same: Linear = legacy.removeWeightNorm(linear);
  const other: Net = legacy.removeSpectralNorm(net, 'scale');
  legacy.weightNorm(module, 'weight');
  legacy.spectralNorm(module, name, { dim: 1 });
  spectralNorm(linear, 'weight', { nPowerIterations: 3, eps: 0, dim: -1 });
  // @ts-expect-error a misspelt name
  legacy.weightNorm(linear, 'wieght');
  // @ts-expect-error a misspelt name
  legacy.spectralNorm(linear, 'wieght');
  // @ts-expect-error a field that is no tensor
  legacy.weightNorm(net, 'label');
  // @ts-expect-error a field that the other normalization has
  void normed.weight_orig;
  // @ts-expect-error the options of the modern function
  legacy.weightNorm(linear, 'weight', { dim: 0 });
  // @ts-expect-error torch's positional argument
  legacy.spectralNorm(linear, 'weight', 3);
  // @ts-expect-error a misspelt option
  legacy.spectralNorm(linear, 'weight', { nPowerIteration: 3 });
  // @ts-expect-error no module: it has no forward
  legacy.weightNorm({ weight: tf.variable(tf.ones([2])) as tf.Tensor }, 'weight');
  // @ts-expect-error a module without such a tensor
  legacy.weightNorm(net);
  // @ts-expect-error a misspelt option
  spectralNorm(linear, 'weight', { nPowerIteration: 3 });
  // @ts-expect-error no axis
  spectralNorm(linear, 'weight', { dim: null });
  // @ts-expect-error torch's positional argument
  spectralNorm(linear, 'weight', 3);
  void [g, v, u, hidden, same, other];
}

/** A map of one's own, with several originals and a parameter. */
export class LowRank extends Parametrization {
  readonly rank: number;
  damping: tf.Tensor = parameter(() => tf.scalar(1));

  constructor(rank: number) {
    super();
    this.rank = rank;
  }
  override forward(a: tf.Tensor2D, b: tf.Tensor2D): tf.Tensor {
    return tf.mul(tf.matMul(a, b), this.damping);
  }
  override rightInverse(value: tf.Tensor): [tf.Tensor, tf.Tensor] {
    const [m, n] = value.shape as [number, number];
    return [tf.zeros([m, this.rank]), tf.zeros([this.rank, n])];
  }
  override isPure(): boolean {
    return true;
  }
}

export const registered: Linear = registerParametrization(new nn.Linear(4, 4), 'weight', new LowRank(2), {
  unsafe: true,
});

export function errorsHaveParts(error: ParametrizeError): string {
  const fact: string = error.fact;
  const remedy: string | undefined = error.remedy;
  // @ts-expect-error a text, whose parts no program could tell apart
  void new ParametrizeError('OPTION', 'weightNorm: dim is 9. Pass another one.');
  return fact + (remedy ?? '');
}

export function recipesNeedACatalog(model: Module): Recipe {
  const recipe = recipeOf(model);
  applyRecipe(model, JSON.stringify(recipe), { catalog: { ...catalog, weightNorm }, strict: false });
  applyRecipe(model, recipe, { catalog, dryRun: true }).undo();
  // @ts-expect-error the functions that the recipe may call
  applyRecipe(model, recipe);
  // @ts-expect-error the same, with options
  applyRecipe(model, recipe, { strict: false });
  // @ts-expect-error no recipe
  applyRecipe(model, recipe.parametrizations, { catalog });
  return recipe;
}
