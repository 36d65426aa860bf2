import * as tf from '@tensorflow/tfjs';
import {
  applyRecipe,
  clone,
  copyInto,
  fold,
  groupOptimizer,
  initializeFromBatch,
  nn,
  parametrize,
  tie,
  unitNorm,
  weightNorm,
  without,
} from 'tfjs-parametrize';
import { loadCheckpoint } from 'tfjs-parametrize/checkpoint';
import { all, type Case, editAll, fileOf, recipeFor, ruled, tensorsOf } from './cases.ts';
import { type Block, Network } from './models.ts';

const moduleTensors = (model: Network): [object, string][] => {
  const hosts = new Map(model.namedModules());
  return tensorsOf(model, (path) => hosts.get(path)!);
};

/** A step with gradients of one. */
function stepOfOnes(model: nn.Module, optimizer: tf.Optimizer): void {
  tf.tidy(() =>
    optimizer.applyGradients(
      model
        .parameters()
        .map((variable) => ({ name: (variable as tf.Variable).name, tensor: tf.ones(variable.shape) })),
    ),
  );
}

/** Calls that change many tensors at once, on modules. */
export const moduleCases: Readonly<Record<string, () => Promise<Case> | Case>> = {
  'parametrize on modules': () => {
    const model = new Network();
    return { model, act: () => ruled(model) };
  },
  'parametrize that replaces steps': () => {
    const model = new Network();
    parametrize(model, [{ type: [nn.Linear, nn.Conv1d], apply: unitNorm }]);
    const act = () =>
      parametrize(model, [
        {
          type: [nn.Linear, nn.Conv1d],
          apply: unitNorm,
          options: { axis: 1 },
          onConflict: 'replace',
        },
      ]);
    return { model, act };
  },
  'applyRecipe on modules': () => {
    const model = new Network();
    const recipe = recipeFor(model, 'blocks.1.conv', 'weight');
    return { model, act: () => applyRecipe(model, recipe, { catalog: all }) };
  },
  'edits in a transaction on modules': () => {
    const model = new Network();
    ruled(model);
    return { model, act: () => editAll(moduleTensors(model)) };
  },
  'undo on modules': () => {
    const model = new Network();
    const report = ruled(model);
    return { model, act: () => report.undo() };
  },
  'fold on modules': () => {
    const model = new Network();
    ruled(model);
    return { model, act: () => fold(model) };
  },
  'fold of tied tensors on modules': () => {
    const model = new Network();
    const [first, ...others] = model.blocks.children() as Block[];
    for (const { last, words } of others) {
      tie(last, 'weight', first!.last, 'weight', { transpose: true });
      tie(words, 'weight', first!.words);
    }
    ruled(model);
    return { model, act: () => fold(model) };
  },
  'loadStateDict of plain tensors on modules': () => {
    const source = new Network();
    const model = new Network();
    parametrize(model, [{ type: [nn.Linear, nn.Conv1d], apply: weightNorm }]);
    return {
      model,
      act: () => model.loadStateDict(source.stateDict()),
      also: [source],
      dispose: () => source.dispose(),
    };
  },
  'clone on modules': () => {
    const model = new Network();
    ruled(model);
    return { model, act: () => clone(model).dispose() };
  },
  'saveCheckpoint on modules': () => {
    const model = new Network();
    ruled(model);
    return { model, act: () => fileOf(model, { keyFormat: 'folded' }) };
  },
  'loadCheckpoint with an optimizer on modules': async () => {
    const source = new Network();
    ruled(source);
    const optimizers = [tf.train.adam(0.01), tf.train.adam(0.02)] as const;
    stepOfOnes(source, optimizers[0]);
    const file = await fileOf(source, { optimizer: optimizers[0] });
    source.dispose();
    optimizers[0].dispose();
    const model = new Network();
    stepOfOnes(model, optimizers[1]);
    return {
      model,
      act: () => loadCheckpoint(model, file, { catalog: all, optimizer: optimizers[1] }),
      also: [optimizers[1]],
      dispose: () => optimizers[1].dispose(),
    };
  },
  'loadCheckpoint with a recipe on modules': async () => {
    const source = new Network();
    ruled(source);
    const file = await fileOf(source);
    source.dispose();
    const model = new Network();
    return { model, act: () => loadCheckpoint(model, file, { catalog: all }) };
  },
  'copyInto on modules': () => {
    const [model, source] = [new Network(), new Network()];
    for (const one of [model, source]) ruled(one);
    return {
      model,
      act: () => copyInto(model, source, { decay: 0.5 }),
      also: [source],
      dispose: () => source.dispose(),
    };
  },
  'copyInto with computed values on modules': () => {
    const [model, source] = [new Network(), new Network()];
    ruled(source);
    return {
      model,
      act: () => copyInto(model, source, { decay: 0.5, folded: true }),
      also: [source],
      dispose: () => source.dispose(),
    };
  },
  'initializeFromBatch on modules': () => {
    const model = new Network();
    parametrize(model, [{ type: nn.Linear, apply: weightNorm }]);
    const batch = tf.randomNormal([4, 3], 0, 1, 'float32', 3);
    const reached = { match: ['**.first', '**.last', 'head'] };
    return {
      model,
      act: () => initializeFromBatch(model, batch, reached),
      dispose: () => batch.dispose(),
    };
  },
  'sync of an optimizer of groups on modules': () => {
    const model = new Network();
    const parts = [tf.train.adam(0.01), tf.train.momentum(0.01, 0.9)] as const;
    const optimizer = groupOptimizer(model, [
      { match: 'blocks.{0..3}.**', optimizer: parts[0] },
      { optimizer: parts[1] },
    ]);
    const loss = () =>
      tf.addN(model.parameters().map((variable) => tf.sum(tf.square(variable as tf.Tensor)))) as tf.Scalar;
    optimizer.minimize(loss);
    ruled(model);
    return {
      model,
      act: () => optimizer.sync(),
      also: [optimizer],
      dispose: () => {
        optimizer.dispose();
        (parts[1] as unknown as { c: tf.Tensor }).c.dispose();
      },
    };
  },
  'without on modules': () => {
    const model = new Network();
    ruled(model);
    const act = () =>
      without(model, { step: 'spectralNorm' }, () => tf.tidy(() => void model.call(tf.ones([1, 3]))));
    return { model: model.eval(), act };
  },
};
