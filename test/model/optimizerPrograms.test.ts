import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  fold,
  isParametrized,
  minimize,
  nn,
  type ParametrizationLike,
  pure,
  registerParametrization,
  removeParametrizations,
  syncOptimizer,
  weightNorm,
} from '../../src/index.ts';
import { disposeModel } from '../layers/layerCases.ts';
import { disposeOptimizer, optimizers } from '../parametrize/laws/specimens.ts';
import { copyClock } from '../parametrize/laws/twin.ts';
import { flatten } from '../toBeAllClose.ts';
import '../../src/layers/index.ts';

// Law L7: after any order of calls, each variable has been trained with its own moments, or the step has thrown NOT_SYNCED
// and changed nothing. The reference has an optimizer for each variable, so that nothing can be mixed up in it.

/** Two tensors of one shape that can be parametrized, and what trains them. */
interface World {
  readonly model: object;
  readonly hosts: readonly (readonly [host: object, name: string])[];
  /** The tensors, as the loss reads them. */
  read(): tf.Tensor[];
  parameters(): tf.Variable[];
  dispose(): void;
}

const start = (i: number): tf.Tensor2D => tf.tensor2d([1 + i, -2, 0.5, 3 - i], [2, 2]);

class Two extends nn.Module {
  a: tf.Tensor = nn.parameter(() => start(0));
  b: tf.Tensor = nn.parameter(() => start(1));
  override forward(): void {}
}

class Layered extends nn.Module {
  first = new nn.Linear(2, 2, { bias: false });
  second = new nn.Linear(2, 2, { bias: false });
  override forward(): void {}
}

function plainWorld(name?: (i: number) => string): World {
  const [a, b] = [0, 1].map((i) => tf.tidy(() => tf.variable(start(i), true, name?.(i))));
  const host = { a, b } as { a: tf.Tensor; b: tf.Tensor; parametrizations?: { dispose(): void } };
  return {
    model: host,
    hosts: [
      [host, 'a'],
      [host, 'b'],
    ],
    read: () => [host.a, host.b],
    parameters: () => variablesByMinimize(host),
    dispose: () => {
      fold(host);
      tf.dispose([host.a, host.b]);
    },
  };
}

/** The list of a host that has none. */
function variablesByMinimize(host: object): tf.Variable[] {
  let listed: tf.Variable[] = [];
  const listing = {
    getClassName: () => 'SGD',
    computeGradients: (_: unknown, variables: tf.Variable[]) => {
      listed = variables;
      return { value: tf.scalar(0), grads: {} };
    },
    applyGradients: () => {},
  };
  minimize(listing as unknown as tf.Optimizer, () => tf.scalar(0), host);
  return listed;
}

const worlds: Record<string, () => World> = {
  'a module': () => {
    const model = new Two();
    return {
      model,
      hosts: [
        [model, 'a'],
        [model, 'b'],
      ],
      read: () => [model.a, model.b],
      parameters: () => model.parameters(),
      dispose: () => model.dispose(),
    };
  },
  'modules below a module': () => {
    const model = new Layered();
    return {
      model,
      hosts: [
        [model.first, 'weight'],
        [model.second, 'weight'],
      ],
      read: () => [model.first.weight, model.second.weight],
      parameters: () => model.parameters(),
      dispose: () => model.dispose(),
    };
  },
  'a plain object': () => plainWorld(),
  'a plain object whose variables the caller named': () => plainWorld((i) => `mine${i}`),
  'a model of tf.layers': () => {
    const layer = (): tf.layers.Layer => tf.layers.dense({ units: 2, inputShape: [2], useBias: false });
    const layers = [layer(), layer()];
    const model = tf.sequential({ layers });
    const kernel = (i: number): tf.Tensor =>
      (layers[i] as unknown as { kernel: { read(): tf.Tensor } }).kernel.read();
    return {
      model,
      hosts: layers.map((host) => [host, 'kernel'] as const),
      read: () => [kernel(0), kernel(1)],
      parameters: () => model.weights.map((weight) => weight.read() as tf.Variable),
      dispose: () => disposeModel(model),
    };
  },
};

type Op =
  | { do: 'register'; at: number; map: string }
  | { do: 'remove' | 'add'; at: number }
  | { do: 'freeze'; seed: number; trainable: boolean }
  | { do: 'fold' | 'capture' | 'resume' }
  | { do: 'sync'; order: 'list' | 'reversed' | 'all trainable' | 'some' }
  | {
      do: 'step';
      list: 'all' | 'reversed' | 'some' | 'captured' | 'none' | 'object' | 'array' | 'verb';
      on: number;
    };

const maps: Record<string, (host: object, name: string) => void> = {
  weightNorm: (host, name) => void weightNorm(host as never, name as never),
  doubled: (host, name) =>
    appendOn(host, name, { forward: (x) => tf.mul(x, 2), rightInverse: (x) => tf.div(x, 2) }),
  pure: (host, name) =>
    appendOn(
      host,
      name,
      pure((x) => tf.tanh(x)),
    ),
  // No original has the shape of the tensor, so that none can be its variable.
  flat: (host, name) =>
    appendOn(host, name, {
      forward: (x) => tf.reshape(x, [2, 2]),
      rightInverse: (W) => tf.reshape(W, [4]),
    }),
};
const appendOn = (host: object, name: string, map: ParametrizationLike): void =>
  void registerParametrization(host as never, name as never, map);

const anyOf = <T>(...values: readonly T[]) => fc.constantFrom(...values);
const at = fc.integer({ min: 0, max: 1 });
const op: fc.Arbitrary<Op> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ do: anyOf('register' as const), at, map: anyOf(...Object.keys(maps)) }),
  },
  { weight: 2, arbitrary: fc.record({ do: anyOf('remove' as const), at }) },
  { weight: 1, arbitrary: fc.record({ do: anyOf('fold' as const, 'capture' as const, 'resume' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: anyOf('freeze' as const), seed: fc.nat(9), trainable: fc.boolean() }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: anyOf('sync' as const),
      order: anyOf(
        'list' as const,
        'list' as const,
        'reversed' as const,
        'all trainable' as const,
        'some' as const,
      ),
    }),
  },
  {
    weight: 10,
    arbitrary: fc.record({
      do: anyOf('step' as const),
      list: anyOf(
        'all' as const,
        'reversed' as const,
        'some' as const,
        'captured' as const,
        'none' as const,
        'object' as const,
        'array' as const,
        'verb' as const,
      ),
      on: fc.integer({ min: 0, max: 2 }),
    }),
  },
);

/** Programs that parametrize something: before that, lists in several orders do to tfjs what they always did. */
const programs = fc
  .tuple(
    fc.constantFrom<Op[]>([], [{ do: 'step', list: 'all', on: 2 }], [{ do: 'step', list: 'none', on: 2 }]),
    fc.record({ do: anyOf('register' as const), at, map: anyOf(...Object.keys(maps)) }),
    fc.array(op, { minLength: 4, maxLength: 14 }),
  )
  .map(([first, register, later]): Op[] => [...first, register, ...later]);

const registeredVariables = (): tf.Variable[] => Object.values(tf.engine().registeredVariables);
const isAlive = (variable: tf.Variable): boolean =>
  tf.engine().registeredVariables[variable.name] === variable;
const slotNames = (optimizer: tf.Optimizer): string[] =>
  Object.entries(optimizer).flatMap(([field, slots]) =>
    field.startsWith('accumulat') && Array.isArray(slots)
      ? (slots as { originalName: string }[]).map(({ originalName }) => originalName)
      : [],
  );

/** A variable of the reference with an optimizer of its own. */
interface Shadow {
  readonly variable: tf.Variable;
  readonly optimizer: tf.Optimizer;
}

class Program {
  steps = 0;
  refusals = 0;
  private optimizer: tf.Optimizer;
  private readonly clock: tf.Optimizer;
  private readonly shadows = new Map<tf.Variable, Shadow>();
  private captured: tf.Variable[];
  /** After `setWeights`: the variables that the restored state was saved for. */
  private restored: (tf.Variable | undefined)[] | null = null;
  private readonly world: World;
  private readonly make: () => tf.Optimizer;
  private readonly name: string;

  constructor(world: World, name: string) {
    this.world = world;
    this.name = name;
    this.make = optimizers[name]!;
    this.optimizer = this.make();
    this.clock = this.make();
    this.captured = world.parameters();
  }

  async execute(instruction: Op): Promise<void> {
    const { world } = this;
    switch (instruction.do) {
      case 'register': {
        const [host, name] = world.hosts[instruction.at]!;
        if (!isParametrized(host, name)) maps[instruction.map]!(host, name);
        break;
      }
      case 'remove': {
        const [host, name] = world.hosts[instruction.at]!;
        if (isParametrized(host, name)) removeParametrizations(host, name as never);
        break;
      }
      case 'fold':
        fold(world.model);
        break;
      case 'capture':
        this.captured = world.parameters();
        break;
      case 'freeze': {
        const variables = world.parameters();
        variables[instruction.seed % variables.length]!.trainable = instruction.trainable;
        break;
      }
      case 'sync':
        this.sync(instruction.order);
        break;
      case 'resume':
        await this.resume();
        break;
      case 'step':
        this.step(instruction.list, instruction.on);
        break;
    }
  }

  private sync(order: (Op & { do: 'sync' })['order']): void {
    const parameters = this.world.parameters();
    const list = {
      list: () => parameters,
      reversed: () => parameters.reverse(),
      'all trainable': () => registeredVariables().filter(({ trainable }) => trainable),
      some: () => parameters.slice(1),
    }[order]();
    const hasState = slotNames(this.optimizer).length > 0;
    const before = slotNames(this.optimizer);
    try {
      syncOptimizer(this.optimizer, list);
    } catch (error) {
      expect(error).toMatchObject({ code: 'NOT_SYNCED' });
      expect(this.restored).not.toBe(null);
      expect(slotNames(this.optimizer)).toEqual(before);
      return;
    }
    const own = Object.values(this.optimizer);
    if (hasState) this.settle(list.filter((variable) => !own.includes(variable)));
    // What is not listed begins anew.
    for (const variable of this.shadows.keys()) if (hasState && !list.includes(variable)) this.drop(variable);
  }

  private async resume(): Promise<void> {
    if (this.name === 'adamax' || this.name === 'sgd' || this.restored !== null) return;
    const saved = await this.optimizer.getWeights();
    const slots = slotNames(this.optimizer);
    const count = slots.length / { rmsprop: 3, momentum: 1, adagrad: 1 }[this.name]! || slots.length / 2;
    if (slots.length === 0) {
      saved[0]!.tensor.dispose();
      return;
    }
    const named = tf.engine().registeredVariables;
    this.restored = slots.slice(0, count).map((slot) => named[slot.slice(0, slot.lastIndexOf('/'))]);
    const next = this.make();
    await next.setWeights(saved);
    saved[0]!.tensor.dispose();
    disposeOptimizer(this.optimizer);
    this.optimizer = next;
  }

  /** Gives restored state to the variables of the first list. */
  private settle(list: readonly tf.Variable[]): void {
    const { restored } = this;
    if (restored === null) return;
    this.restored = null;
    const byName = restored.every((variable) => variable?.name.startsWith('mine') && list.includes(variable));
    const owners = byName ? restored : list;
    const before = new Map(this.shadows);
    this.shadows.clear();
    const used = new Set<Shadow>();
    restored.forEach((from, i) => {
      const shadow = from === undefined ? undefined : before.get(from);
      const owner = owners[i];
      if (shadow === undefined || owner === undefined) return;
      this.shadows.set(owner, shadow);
      used.add(shadow);
    });
    for (const shadow of before.values()) if (!used.has(shadow)) dispose(shadow);
  }

  private step(list: (Op & { do: 'step' })['list'], on: number): void {
    const { world, optimizer } = this;
    const loss = (): tf.Scalar => {
      const [a, b] = world.read() as [tf.Tensor, tf.Tensor];
      const terms = [tf.sum(tf.mul(tf.square(a), 20)), tf.sum(tf.square(tf.sub(b, 1)))];
      return (on === 2 ? tf.addN(terms) : terms[on]!) as tf.Scalar;
    };
    const parameters = world.parameters();
    const variables: Record<string, () => tf.Variable[]> = {
      all: () => parameters,
      reversed: () => parameters.reverse(),
      some: () => parameters.filter((_, i) => i % 2 === on % 2),
      captured: () => this.captured,
      array: () => parameters,
      verb: () => world.parameters(),
    };
    const listed = variables[list]?.();
    const known = new Set([...parameters, ...this.captured.filter(isAlive)]);
    const values = new Map([...known].map((variable) => [variable, flatten(variable)]));
    let gradients: tf.NamedTensorMap;
    try {
      // What tfjs leaves behind when it throws goes with the tidy.
      gradients = tf.tidy(() => tf.variableGrads(loss, listed).grads);
    } catch {
      // Nothing to train.
      return;
    }
    const before = { names: slotNames(optimizer), numTensors: tf.memory().numTensors };
    try {
      if (list === 'verb') minimize(optimizer, loss, world.model);
      else if (list === 'object') optimizer.applyGradients(gradients);
      else if (list === 'array') {
        optimizer.applyGradients(parameters.map(({ name }) => ({ name, tensor: gradients[name]! })));
      } else optimizer.minimize(loss, false, listed);
    } catch (error) {
      expect(error).toMatchObject({ code: 'NOT_SYNCED' });
      expect(slotNames(optimizer)).toEqual(before.names);
      expect(tf.memory().numTensors).toBe(before.numTensors);
      for (const [variable, numbers] of values) expect(flatten(variable)).toEqual(numbers);
      this.refusals++;
      tf.dispose(gradients);
      return;
    }
    this.steps++;
    const named = tf.engine().registeredVariables;
    this.settle(listed ?? Object.keys(gradients).map((name) => named[name]!));
    for (const [variable, numbers] of values) {
      const gradient = gradients[variable.name];
      if (gradient == null) {
        expect(flatten(variable)).toEqual(numbers);
        continue;
      }
      const shadow = this.shadowOf(variable);
      tf.tidy(() => shadow.variable.assign(tf.tensor(numbers, variable.shape)));
      copyClock(this.clock, shadow.optimizer);
      shadow.optimizer.applyGradients([{ name: shadow.variable.name, tensor: gradient }]);
      expect(variable, list).toBeAllClose(flatten(shadow.variable), { relative: 1e-5, absolute: 1e-6 });
    }
    this.clock.applyGradients([]);
    tf.dispose(gradients);
    for (const variable of [...this.shadows.keys()]) if (!isAlive(variable)) this.drop(variable);
  }

  private shadowOf(variable: tf.Variable): Shadow {
    let shadow = this.shadows.get(variable);
    if (shadow === undefined) {
      shadow = {
        variable: tf.tidy(() => tf.variable(tf.zerosLike(variable), false)),
        optimizer: this.make(),
      };
      this.shadows.set(variable, shadow);
    }
    return shadow;
  }

  private drop(variable: tf.Variable): void {
    const shadow = this.shadows.get(variable);
    if (shadow !== undefined) dispose(shadow);
    this.shadows.delete(variable);
  }

  end(): void {
    for (const variable of [...this.shadows.keys()]) this.drop(variable);
    disposeOptimizer(this.optimizer);
    disposeOptimizer(this.clock);
    this.world.dispose();
  }
}

function dispose({ variable, optimizer }: Shadow): void {
  variable.dispose();
  disposeOptimizer(optimizer);
}

describe.each(Object.entries(worlds))('in any order of calls on %s', (_, makeWorld) => {
  it.each(Object.keys(optimizers))(
    'moments of %s stay with their variables, or the step throws',
    async (name) => {
      let [steps, refusals] = [0, 0];
      await fc.assert(
        fc.asyncProperty(programs, async (instructions) => {
          const program = new Program(makeWorld(), name);
          try {
            for (const instruction of instructions) await program.execute(instruction);
          } finally {
            program.end();
            steps += program.steps;
            refusals += program.refusals;
          }
        }),
        { numRuns: Number(process.env['FC_RUNS'] ?? 25) },
      );
      expect(steps).toBeGreaterThan(20);
      if (name !== 'sgd') expect(refusals).toBeGreaterThan(5);
    },
  );
});
