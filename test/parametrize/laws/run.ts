import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { expect } from 'vitest';
import {
  cached,
  isParametrized,
  type Parametrization,
  registerParametrization,
  removeParametrizations,
  syncOptimizer,
  WeightNorm,
} from '../../../src/index.ts';
import { flatten } from '../../toBeAllClose.ts';
import { losses } from './losses.ts';
import { disposeOptimizer, Net, optimizers, specimens } from './specimens.ts';
import { Twin } from './twin.ts';

/** One instruction of a random program. */
export type Op =
  | {
      do:
        | 'read'
        | 'tidyRead'
        | 'readInCustomGradient'
        | 'nestedTidies'
        | 'remove'
        | 'badAssign'
        | 'throw'
        | 'clone';
    }
  | { do: 'enter' | 'leave' }
  | { do: 'assign'; seed: number }
  | { do: 'mode'; training: boolean }
  | { do: 'register'; specimen: string }
  | { do: 'gradient' | 'step'; loss: string };

const anyOf = <T>(values: readonly T[]) => fc.constantFrom(...values);
export const op: fc.Arbitrary<Op> = fc.oneof(
  {
    weight: 6,
    arbitrary: anyOf(['read', 'tidyRead', 'nestedTidies', 'enter', 'leave'] as const).map(
      (name): Op => ({ do: name }),
    ),
  },
  {
    weight: 2,
    arbitrary: anyOf(['readInCustomGradient', 'remove', 'badAssign', 'throw', 'clone'] as const).map(
      (name): Op => ({ do: name }),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('assign' as const), seed: fc.integer({ min: 1, max: 1e6 }) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('mode' as const), training: fc.boolean() }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('register' as const), specimen: anyOf(Object.keys(specimens)) }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ do: anyOf(['gradient', 'step'] as const), loss: anyOf(Object.keys(losses)) }),
  },
);

/** Two NaNs would hide what differs. */
function expectFinite(numbers: readonly number[]): void {
  expect(numbers.filter((x) => !Number.isFinite(x))).toEqual([]);
}

const close = { relative: 2e-3, absolute: 2e-4 };

/** Runs a program on a parametrized net and on its twin, and compares after each instruction. */
export class Run {
  readonly net: Net;
  readonly twin: Twin;
  readonly optimizer: tf.Optimizer;
  readonly x = tf.randomNormal([4, 2], 0, 1, 'float32', 7);
  readonly scopes: Disposable[] = [];
  /** Borrowed values, with their numbers: a change that is followed by a read may end them. */
  held: { tensor: tf.Tensor; numbers: number[] }[] = [];
  changed = false;

  /**
   * @param net - the net, if it is not a plain one
   * @param maps - what makes the maps that stand on it from the start
   */
  constructor(optimizer: string, net = new Net(), maps: readonly (() => Parametrization)[] = []) {
    this.net = net;
    const plain = new Net();
    this.twin = new Twin(plain.weight, plain.bias, optimizer);
    plain.dispose();
    for (const make of maps) this.twin.register(make());
    this.optimizer = optimizers[optimizer]!();
  }

  execute(instruction: Op): void {
    const { net, twin } = this;
    switch (instruction.do) {
      case 'read': {
        const wanted = twin.read();
        const value = net.weight;
        expect(value).toBeAllClose(wanted, close);
        const ours = twin.steps.length > 0 && !twin.isPure && !twin.inScope;
        if (ours) value.dispose();
        else if (twin.isPure && twin.steps.length > 0) this.hold(value);
        break;
      }
      case 'tidyRead': {
        const wanted = twin.read('tidy');
        tf.tidy(() => {
          expect(net.weight).toBeAllClose(wanted, close);
        });
        break;
      }
      case 'nestedTidies': {
        const wanted = [twin.read('tidy'), twin.read('tidy')];
        tf.tidy(() => {
          const inner = tf.tidy(() => tf.tidy(() => net.weight));
          expect(net.weight).toBeAllClose(wanted[1]!, close);
          expect(inner).toBeAllClose(wanted[0]!, close);
        });
        break;
      }
      case 'readInCustomGradient': {
        const wanted = twin.read('kernel');
        tf.tidy(() => {
          let seen: number[] = [];
          const op = tf.customGrad((x) => {
            seen = flatten(tf.tidy(() => net.weight));
            return { value: tf.mul(x as tf.Tensor, 2), gradFunc: (dy: tf.Tensor) => tf.mul(dy, 2) };
          });
          tf.grad((x) => tf.sum(op(x)))(this.x);
          expect(seen).toBeAllClose(wanted, close);
        });
        break;
      }
      case 'assign': {
        const value = tf.randomNormal([3, 2], 0, 1, 'float32', instruction.seed);
        if (twin.steps.length > 0) {
          twin.assign(value);
          net.weight = value;
        }
        value.dispose();
        break;
      }
      case 'badAssign':
        if (twin.steps.length > 0) {
          const value = tf.zeros([2, 3]);
          expect(() => {
            net.weight = value;
          }).toThrow(/shape \[2, 3\]/);
          value.dispose();
        }
        break;
      case 'mode':
        net.train(instruction.training);
        twin.setTraining(instruction.training);
        break;
      case 'register':
        for (const make of specimens[instruction.specimen]!) {
          const map = make();
          this.owned.push(map);
          // Only the first map of a tensor may have several originals.
          if ((twin.steps.length > 0 && map instanceof WeightNorm) || twin.steps.length > 2) break;
          registerParametrization(net, 'weight', map);
          twin.register(make());
        }
        syncOptimizer(this.optimizer, net.parameters());
        break;
      case 'remove':
        if (twin.steps.length > 0) {
          this.held = [];
          removeParametrizations(net, 'weight');
          twin.remove();
          syncOptimizer(this.optimizer, net.parameters());
        }
        expect(net.weight).toBeAllClose(twin.steps.length > 0 ? twin.inspect() : twin.read(), close);
        break;
      case 'gradient': {
        const loss = losses[instruction.loss]!;
        const grads = (variables: tf.Variable[], f: () => tf.Scalar) =>
          tf.tidy(() => {
            const result = tf.variableGrads(f, variables);
            return variables.map((variable) =>
              flatten(result.grads[variable.name] ?? tf.zerosLike(variable)),
            );
          });
        twin.freezeLike(this.variables());
        const theirs = twin.variables();
        const wanted = grads(theirs, () => loss(this.x, twin.readerOnTape(), twin.bias, theirs));
        const variables = this.variables();
        const ours = grads(variables, () => loss(this.x, () => net.weight, net.bias, variables));
        expect(ours).toBeAllClose(wanted, close);
        expectFinite(ours.flat());
        break;
      }
      case 'step': {
        const loss = losses[instruction.loss]!;
        twin.freezeLike(this.variables());
        const wanted = twin.step(loss, this.x);
        const cost = this.optimizer.minimize(
          () => loss(this.x, () => net.weight, net.bias, this.variables()),
          true,
          net.parameters(),
        )!;
        expect(cost).toBeAllClose(wanted, close);
        cost.dispose();
        for (const variable of this.variables()) expectFinite(flatten(variable));
        break;
      }
      case 'throw':
        expect(() =>
          cached(() =>
            tf.tidy(() => {
              throw new Error('from inside');
            }),
          ),
        ).toThrow('from inside');
        break;
      case 'clone': {
        const copy = net.clone();
        copy.eval();
        const before = flatten(copy.stateDict()['bias']!);
        const sgd = tf.train.sgd(0.1);
        sgd.minimize(() => tf.sum(tf.square(copy.call(this.x))), false, copy.parameters());
        sgd.dispose();
        expect(isParametrized(copy)).toBe(twin.steps.length > 0);
        expect(flatten(copy.stateDict()['bias']!)).not.toEqual(before);
        copy.dispose();
        break;
      }
      case 'enter':
        this.scopes.push(cached());
        twin.inScope = true;
        break;
      case 'leave':
        this.scopes.pop()?.[Symbol.dispose]();
        if (this.scopes.length === 0) twin.leaveScope();
        break;
    }
    if (['assign', 'mode', 'register', 'remove', 'step'].includes(instruction.do)) this.changed = true;
    if (!this.changed) {
      for (const { tensor, numbers } of this.held) expect(flatten(tensor)).toEqual(numbers);
    }
  }

  readonly owned: { dispose(): void }[] = [];

  /** Our variables in the twin's order: originals, bias, then the parameters of the maps. */
  variables(): tf.Variable[] {
    const list = this.net.parametrizations?.['weight'];
    if (list === undefined) return [this.net.weight as tf.Variable, this.net.bias as tf.Variable];
    const originals = [list.original, list.original0, list.original1].filter(
      (original) => original !== undefined,
    );
    const own = [...list].flatMap((step) => (step as { parameters(): tf.Variable[] }).parameters());
    return [...originals, this.net.bias as tf.Variable, ...own];
  }

  hold(tensor: tf.Tensor): void {
    if (this.changed) {
      this.held = [];
      this.changed = false;
    }
    this.held.push({ tensor, numbers: flatten(tensor) });
  }

  end(): void {
    for (const scope of this.scopes) scope[Symbol.dispose]();
    this.net.dispose();
    for (const map of this.owned) map.dispose();
    this.twin.dispose();
    disposeOptimizer(this.optimizer);
    this.x.dispose();
  }
}
