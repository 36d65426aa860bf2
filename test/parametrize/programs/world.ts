import * as tf from '@tensorflow/tfjs-core';
import {
  cached,
  fold,
  isParametrized,
  maxNorm,
  minMaxNorm,
  nn,
  nonNeg,
  orthogonal,
  parametrizationsOn,
  removeParametrizations,
  SpectralNorm,
  skew,
  spectralNorm,
  symmetric,
  syncOptimizer,
  unitNorm,
  valueOf,
  weightNorm,
} from '../../../src/index.ts';
import type { Instruction, LossName, MapName, Program } from './instructions.ts';
import { losses, type Weights } from './losses.ts';
import { disposeMirror, mirrorOf, originalsOf, type Place, placesBelow, variablesBelow } from './mirror.ts';
import { makeOptimizer, ReferenceOptimizer } from './optimizers.ts';
import { conditionOf, evaluate, leaves, numbersOf, type ReferenceTensor } from './reference.ts';

class Pair extends nn.Module {
  a = new nn.Linear(3, 3, { bias: false });
  b = new nn.Linear(3, 3, { bias: false });

  forward(x: tf.Tensor): tf.Tensor {
    return this.b.call(tf.sin(this.a.call(x)));
  }
}

/** A call that the library refuses, as documented: the program goes on. */
const isRefusal = (error: unknown): boolean =>
  ['NO_RIGHT_INVERSE', 'SHAPE', 'ORIGINAL_COUNT', 'OPTION', 'RIGHT_INVERSE'].includes(
    (error as { code?: string }).code ?? '',
  );

/** Runs a program on a module and on its uncached reference, and throws where they differ. */
export class World {
  private net = new Pair();
  private mirrors: ReferenceTensor[];
  private optimizer: tf.Optimizer;
  private reference: ReferenceOptimizer;
  private readonly scopes: Disposable[] = [];
  /** How many times rounding errors have grown at most: optimizers remember them. */
  private condition = 1;

  constructor(private readonly program: Program) {
    tf.tidy(() => {
      for (const [i, layer] of [this.net.a, this.net.b].entries()) {
        (layer.weight as tf.Variable).assign(
          tf.randomNormal([3, 3], 0, 0.7, 'float32', program.seed * 2 + i),
        );
      }
    });
    this.mirrors = this.tensors().map(mirrorOf);
    this.optimizer = makeOptimizer(program.optimizer);
    this.reference = new ReferenceOptimizer(program.optimizer);
  }

  /** Executes an instruction, and throws where numbers differ. */
  execute(instruction: Instruction): void {
    this.perform(instruction);
    this.noteCondition();
  }

  private perform(instruction: Instruction): void {
    const { net } = this;
    switch (instruction.do) {
      case 'read':
        this.compareValues((place) =>
          this.isPure()
            ? valueOf(place.host, place.name)
            : tf.tidy(() => tf.clone(valueOf(place.host, place.name))),
        );
        break;
      case 'readInTidy':
        tf.tidy(() => {
          // The variable itself if it is plain, which the tidy must not take for a value.
          this.compareValues((place) => tf.tidy(() => tf.clone(valueOf(place.host, place.name))));
        });
        break;
      case 'call':
        tf.tidy(() => {
          const x = tf.tensor2d([0.3, -0.4, 0.5], [1, 3]);
          const [a, b] = this.mirrors.map((mirror) => evaluate(mirror, net.training)) as tf.Tensor2D[];
          const wanted = tf.matMul(tf.sin(tf.matMul(x, a!, false, true)), b!, false, true);
          this.same('the output', numbersOf(net.call(x)), numbersOf(wanted));
        });
        break;
      case 'enter':
        if (this.hasNoState()) this.scopes.push(cached());
        break;
      case 'leave':
        this.scopes.pop()?.[Symbol.dispose]();
        break;
      case 'mode':
        net.train(instruction.training);
        break;
      case 'assign':
        this.assign(this.place(instruction.on), instruction.seed);
        break;
      case 'register':
        if (instruction.map === 'spectralNorm' && this.scopes.length > 0) break;
        this.change(() => register(this.place(instruction.on), instruction.map, instruction.limit));
        break;
      case 'remove':
        this.remove(this.place(instruction.on), instruction.leave);
        break;
      case 'fold':
        this.keepsValues(() => this.change(() => void fold(net)));
        break;
      case 'copy':
        this.copy(false);
        break;
      case 'moveToCopy':
        this.copy(true);
        break;
      case 'gradient':
        this.gradient(instruction.loss);
        break;
      case 'step':
        this.step(instruction.loss);
    }
  }

  end(): void {
    for (const scope of this.scopes.reverse()) scope[Symbol.dispose]();
    this.net.dispose();
    this.mirrors.forEach(disposeMirror);
    disposeOptimizer(this.optimizer);
    this.reference.dispose();
  }

  private tensors(): Place[] {
    return [this.net.a, this.net.b].map((host) => ({ host, name: 'weight' }));
  }

  private place(on: number): Place {
    const places = this.tensors().flatMap(placesBelow).filter(isSquare);
    return places[on % places.length]!;
  }

  private hasNoState(): boolean {
    return this.tensors()
      .flatMap(placesBelow)
      .every(
        ({ host, name }) =>
          !isParametrized(host, name) ||
          [...parametrizationsOn(host, name)].every((map) => !(map instanceof SpectralNorm)),
      );
  }

  private isPure(): boolean {
    return !this.net.training || this.hasNoState();
  }

  private variables(): tf.Variable[] {
    return this.tensors().flatMap(variablesBelow);
  }

  private compareValues(read: (place: Place) => tf.Tensor): void {
    for (const [i, place] of this.tensors().entries()) {
      const wanted = tf.tidy(() => numbersOf(evaluate(this.mirrors[i]!, this.net.training)));
      const value = read(place);
      this.same(`weight ${i}`, numbersOf(value), wanted);
      if (!(value instanceof tf.Variable) && !this.isPure()) value.dispose();
    }
  }

  /** The values, in evaluation mode and with no trace. */
  private values(): number[][] {
    return tf.tidy(() => this.mirrors.map((mirror) => numbersOf(evaluate(mirror, false))));
  }

  /** Does what changes variables or maps; the reference follows, and the optimizers learn of it. */
  private change(action: () => void): void {
    this.noteCondition();
    const variables = this.variables();
    const slots = new Map(variables.map((variable, i) => [variable, this.mirrors.flatMap(leaves)[i]!]));
    try {
      action();
    } catch (error) {
      if (!isRefusal(error)) throw error;
    }
    const old = this.mirrors;
    this.mirrors = this.tensors().map(mirrorOf);
    const now = this.variables();
    this.reference.follow(this.mirrors.flatMap(leaves).map((mine, i) => [mine, slots.get(now[i]!)] as const));
    old.forEach(disposeMirror);
    syncOptimizer(this.optimizer, this.program.withList ? this.listed() : this.found());
  }

  /** What `minimize` is given. */
  private listed(): tf.Variable[] {
    return this.net.parameters();
  }

  /** What `minimize` finds without a list: what is trainable, in the order in which it was made. */
  private found(): tf.Variable[] {
    const ours = new Set(this.variables());
    return Object.values(tf.engine().state.registeredVariables).filter((variable) => ours.has(variable));
  }

  private keepsValues(action: () => void): void {
    const before = this.values();
    action();
    this.values().forEach((value, i) => {
      this.same(`weight ${i} afterwards`, value, before[i]!);
    });
  }

  private assign(place: Place, seed: number): void {
    const value = tf.randomNormal([3, 3], 0, 0.7, 'float32', seed);
    this.change(() => {
      if (isParametrized(place.host, place.name))
        (place.host as Record<string, tf.Tensor>)[place.name] = value;
      else tf.tidy(() => (valueOf(place.host, place.name) as tf.Variable).assign(tf.clone(value)));
    });
    value.dispose();
  }

  private remove({ host, name }: Place, leave: boolean): void {
    if (!isParametrized(host, name)) return;
    const leaveParametrized = leave || originalsOf({ host, name }).length > 1;
    const action = () => this.change(() => void removeParametrizations(host, name, { leaveParametrized }));
    if (leaveParametrized) this.keepsValues(action);
    else action();
  }

  private copy(move: boolean): void {
    const { net } = this;
    const before = this.values();
    const copy = net.clone();
    if (move) {
      for (const scope of this.scopes.splice(0).reverse()) scope[Symbol.dispose]();
      this.net = copy;
      net.dispose();
      disposeOptimizer(this.optimizer);
      this.reference.dispose();
      this.optimizer = makeOptimizer(this.program.optimizer);
      this.reference = new ReferenceOptimizer(this.program.optimizer);
      const old = this.mirrors;
      this.mirrors = this.tensors().map(mirrorOf);
      old.forEach(disposeMirror);
    } else {
      const sgd = tf.train.sgd(0.5);
      sgd.minimize(() => tf.sum(copy.call(tf.ones([1, 3]))) as tf.Scalar, false, copy.parameters());
      sgd.dispose();
      copy.dispose();
      const { training } = net;
      net.eval();
      tf.tidy(() => {
        for (const [i, { host, name }] of this.tensors().entries()) {
          this.same(`weight ${i} beside a copy`, numbersOf(valueOf(host, name)), before[i]!);
        }
      });
      net.train(training);
    }
    this.values().forEach((value, i) => {
      this.same(`weight ${i} of the copy`, value, before[i]!);
    });
  }

  private ours(): Weights {
    const [a, b] = this.tensors().map(
      ({ host, name }) =>
        () =>
          valueOf(host, name),
    );
    return { read: [a!, b!], variables: this.variables() };
  }

  private theirs(): Weights {
    const [a, b] = this.mirrors.map((mirror) => () => evaluate(mirror, this.net.training));
    return { read: [a!, b!], variables: this.mirrors.flatMap(leaves) };
  }

  private gradient(loss: LossName): void {
    const gradients = (weights: Weights): number[] =>
      tf.tidy(() => {
        const f = () => losses[loss](weights);
        const { grads } = tf.engine().gradients(f, weights.variables, undefined, true);
        return weights.variables.flatMap((variable, i) =>
          grads[i] ? numbersOf(grads[i]!) : Array.from({ length: variable.size }, () => 0),
        );
      });
    this.same(`the gradients of '${loss}'`, gradients(this.ours()), gradients(this.theirs()));
  }

  private step(loss: LossName): void {
    const wanted = this.reference.step(() => losses[loss](this.theirs()), this.mirrors.flatMap(leaves));
    const list = this.program.withList ? this.listed() : undefined;
    const cost = this.optimizer.minimize(() => losses[loss](this.ours()), true, list)!;
    this.same(`the loss '${loss}'`, numbersOf(cost), [wanted]);
    cost.dispose();
    const mine = this.mirrors.flatMap(leaves);
    this.variables().forEach((variable, i) => {
      this.same(`variable ${i} after a step`, numbersOf(variable), numbersOf(mine[i]!));
      // Rounding errors are not to add up.
      tf.tidy(() => mine[i]!.assign(tf.tensor(numbersOf(variable), variable.shape)));
    });
  }

  /** Throws where numbers differ, and where any is not finite: two NaNs would hide what differs. */
  private same(what: string, actual: readonly number[], wanted: readonly number[]): void {
    const text = (list: readonly number[]) => list.map((x) => x.toPrecision(5)).join(' ');
    const both = `[${text(actual)}], the reference has [${text(wanted)}]`;
    if (![...actual, ...wanted].every(Number.isFinite)) throw new Error(`${what} is not finite: ${both}`);
    const scale = Math.max(1, ...wanted.map(Math.abs));
    const distance = Math.max(0, ...actual.map((x, i) => Math.abs(x - wanted[i]!))) / scale;
    if (actual.length !== wanted.length || (distance > 3e-3 && distance > this.roundingError())) {
      throw new Error(`${what}: ${both}`);
    }
  }

  private noteCondition(): void {
    this.condition = Math.max(this.condition, ...this.mirrors.map(conditionOf));
  }

  /**
   * How far apart two right results may be, by their size. Where errors grow c times, values grow with them: their relative
   * errors of c·2⁻²⁴ are errors of c²·2⁻²⁴ in the angles of the sines in the losses. Gradients of gradients multiply several.
   */
  private roundingError(): number {
    this.noteCondition();
    return this.condition ** 2 * 2 ** -20;
  }
}

function isSquare({ host, name }: Place): boolean {
  if (isParametrized(host, name)) return true;
  return (valueOf(host, name) as tf.Tensor).size === 9;
}

function register({ host, name }: Place, map: MapName, limit: number): void {
  const module = host as nn.Linear;
  const at = name as 'weight';
  nn.manualSeed(Math.floor(limit * 1e6));
  if (map === 'weightNorm') weightNorm(module, at);
  else if (map === 'unitNorm') unitNorm(module, at);
  else if (map === 'maxNorm') maxNorm(module, at, { maxValue: limit });
  else if (map === 'minMaxNorm') minMaxNorm(module, at, { minValue: limit / 2, maxValue: limit });
  else if (map === 'nonNeg') nonNeg(module, at);
  else if (map === 'spectralNorm') spectralNorm(module, at);
  else if (map === 'skew') skew(module, at);
  else if (map === 'symmetric') symmetric(module, at);
  else orthogonal(module, at, { orthogonalMap: map === 'orthogonal, cayley' ? 'cayley' : 'matrixExp' });
}

/** Disposes an optimizer, and what the momentum optimizer of tfjs forgets. */
function disposeOptimizer(optimizer: tf.Optimizer): void {
  optimizer.dispose();
  (optimizer as unknown as { c?: tf.Tensor }).c?.dispose();
}
