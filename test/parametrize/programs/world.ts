import * as tf from '@tensorflow/tfjs-core';
import {
  applyRecipe,
  cached,
  catalog,
  fold,
  insertParametrization,
  isParametrized,
  nn,
  type Parametrization,
  type ParametrizeReport,
  parametrizationsOn,
  parametrize,
  type Recipe,
  recipeOf,
  removeParametrization,
  removeParametrizations,
  reorderParametrizations,
  replaceParametrization,
  SpectralNorm,
  syncOptimizer,
  tie,
  valueOf,
  without,
} from '../../../src/index.ts';
import type { Edit, Instruction, LossName, Program } from './instructions.ts';
import { distanceOf, gradientsNearest, liesOnKink } from './kinks.ts';
import { losses, type Weights } from './losses.ts';
import { mapOf, register } from './maps.ts';
import {
  disposeMirror,
  mirrorOf,
  originalsOf,
  type Place,
  placesBelow,
  stepOf,
  variablesBelow,
} from './mirror.ts';
import { makeOptimizer, ReferenceOptimizer } from './optimizers.ts';
import {
  conditionOf,
  evaluate,
  evaluateGiven,
  leaves,
  numbersOf,
  type ReferenceStep,
  type ReferenceTensor,
} from './reference.ts';

class Pair extends nn.Module {
  a = new nn.Linear(3, 3, { bias: false });
  b: nn.Linear;

  constructor(sharing: Program['sharing']) {
    super();
    this.b = sharing === 'module' ? this.a : new nn.Linear(3, 3, { bias: false });
    if (sharing === 'tie') tie(this.b, 'weight', this.a);
  }

  forward(x: tf.Tensor): tf.Tensor {
    return this.b.call(tf.sin(this.a.call(x)));
  }
}

/** How many times each operation of the declarative layer was performed, and not refused. */
export const performed = new Map<string, number>();

/** A call that the library refuses, as documented: the program goes on. */
const isRefusal = (error: unknown): boolean =>
  [
    'NO_RIGHT_INVERSE',
    'SHAPE',
    'ORIGINAL_COUNT',
    'OPTION',
    'RIGHT_INVERSE',
    'CONFLICT',
    'UNSUPPORTED_HOST',
    'UNKNOWN_TENSOR',
    'UNMATCHED_RULE',
    'TIED',
  ].includes((error as { code?: string }).code ?? '');

/** Runs a program on a module and on its uncached reference, and throws where they differ. */
export class World {
  private net: Pair;
  private mirrors: ReferenceTensor[];
  private optimizer: tf.Optimizer;
  private reference: ReferenceOptimizer;
  private readonly scopes: Disposable[] = [];
  /** How many times rounding errors have grown at most: optimizers remember them. */
  private condition = 1;

  /** The reports of rules and recipes that can be undone. */
  private readonly reports: {
    readonly report: ParametrizeReport;
    /** The keys before, and the number of changes up to it. */
    readonly keys: string;
    readonly changes: number;
  }[] = [];
  private changes = 0;
  private kept: string | null = null;

  constructor(private readonly program: Program) {
    this.net = new Pair(program.sharing);
    tf.tidy(() => {
      for (const [i, { host }] of this.tensors().entries()) {
        ((host as nn.Linear).weight as tf.Variable).assign(
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
          const [a, b] = this.theirs().read.map((read) => read()) as tf.Tensor2D[];
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
        break;
      case 'insert':
      case 'replace':
      case 'drop':
      case 'reorder':
        this.edit(instruction);
        break;
      case 'skip':
        this.skip(instruction);
        break;
      case 'rules': {
        const { match, map, limit } = instruction;
        if (map === 'spectralNorm' && this.scopes.length > 0) break;
        nn.manualSeed(Math.floor(limit * 1e6));
        const apply = (host: nn.Linear, name: 'weight') => void register({ host, name }, map, limit);
        this.change(() => {
          this.report('rules', () => {
            const report = parametrize(net, [{ match, apply }]);
            const { registered, unchanged, skipped } = report;
            const found = registered.length + unchanged.length + skipped.length;
            if (found !== this.matches(match)) throw new Error(`${match} has matched ${found} weights`);
            return report;
          });
        });
        break;
      }
      case 'undo': {
        const last = this.reports.pop();
        if (last === undefined) break;
        const isLast = last.changes === this.changes;
        this.change(() => {
          last.report.undo();
          this.count('undo');
        });
        const keys = Object.keys(net.stateDict()).join(' ');
        if (isLast && keys !== last.keys) throw new Error(`undo has left '${keys}', not '${last.keys}'`);
        break;
      }
      case 'keepRecipe':
        // A recipe does not say what is tied.
        if (this.program.sharing !== 'tie') this.kept = JSON.stringify(recipeOf(net));
        break;
      case 'applyKept':
        if (this.kept !== null) this.applyRecipe(this.kept);
        break;
      case 'applyRecipe': {
        const { path, maps } = instruction;
        const steps = maps.map((map) => {
          const [kind, orthogonalMap] = map.split(', ');
          return { kind, options: orthogonalMap === undefined ? {} : { orthogonalMap } };
        });
        this.applyRecipe(
          JSON.stringify({ version: 1, parametrizations: [{ path, tensor: 'weight', steps }] }),
        );
        break;
      }
      case 'makeAgain':
        this.makeAgain();
    }
  }

  /** The number of weights that a rule is about. */
  private matches(pattern: string): number {
    return this.program.sharing === 'module' || pattern.length === 1 ? 1 : 2;
  }

  /** Runs what gives a report that can be undone. */
  private report(operation: string, run: () => ParametrizeReport): void {
    const keys = Object.keys(this.net.stateDict()).join(' ');
    const report = run();
    if (report.registered.length === 0) return;
    this.count(operation);
    this.reports.push({ report, keys, changes: this.changes });
  }

  private applyRecipe(text: string): void {
    if (text.includes('spectralNorm') && this.scopes.length > 0) return;
    this.change(() => {
      this.report('applyRecipe', () => {
        const report = applyRecipe(this.net, text, { catalog });
        // The chains are those of the recipe, in its order.
        const made = new Map(
          recipeOf(this.net).parametrizations.map(({ path, tensor, steps }) => [`${path}.${tensor}`, steps]),
        );
        for (const { path, tensor, steps } of (JSON.parse(text) as Recipe).parametrizations) {
          const at = this.program.sharing === 'module' ? path.replace(/^b/, 'a') : path;
          const kinds = made
            .get(`${at}.${tensor}`)
            ?.map(({ kind }) => kind)
            .join(' ');
          const wanted = steps.map(({ kind }) => kind).join(' ');
          if (kinds !== wanted) throw new Error(`a recipe has made '${kinds}', not '${wanted}'`);
        }
        return report;
      });
    });
  }

  private count(operation: string): void {
    performed.set(operation, (performed.get(operation) ?? 0) + 1);
  }

  /** A new module with the recipe and the state dict of this one has its values. */
  private makeAgain(): void {
    if (this.program.sharing === 'tie') return;
    const other = new Pair(this.program.sharing);
    const recipe = recipeOf(this.net);
    applyRecipe(other, JSON.stringify(recipe), { catalog });
    if (recipe.parametrizations.length > 0) this.count('makeAgain');
    other.loadStateDict(this.net.stateDict());
    other.eval();
    const values = this.values();
    tf.tidy(() => {
      for (const [i, { host, name }] of this.tensors(other).entries()) {
        this.same(`weight ${i} made by a recipe`, numbersOf(valueOf(host, name)), values[i]!);
      }
    });
    other.dispose();
  }

  /** The reference of a tensor, or of one of its originals, of the list of the places. */
  private mirrorAt(index: number): ReferenceTensor {
    const below = (node: ReferenceTensor): ReferenceTensor[] => [node, ...node.originals.flatMap(below)];
    return this.mirrors.flatMap(below)[index]!;
  }

  private edit(edit: Edit): void {
    const places = this.tensors().flatMap(placesBelow);
    const least = edit.do === 'reorder' ? 2 : 1;
    const chains = places.filter(
      ({ host, name }) => isParametrized(host, name) && parametrizationsOn(host, name).length >= least,
    );
    if (chains.length === 0) return;
    const place = chains[edit.on % chains.length]!;
    const { host, name } = place;
    const index = places.indexOf(place);
    const list = parametrizationsOn(host, name);
    const at = edit.at % (list.length + Number(edit.do === 'insert'));
    const { keep } = edit;
    const before = [...list];
    const old = this.mirrorAt(index);
    const wasPlain = originalsOf(place).length === 1 && !isParametrized(list, 'original');
    let wanted: number[][] | null = null;
    this.change(() => {
      if (edit.do === 'drop') {
        if (list.length === 1) this.count('drop the last step');
        removeParametrization(host, name, at, { keep });
        wanted = this.valuesAfter(old, spliced(old.steps, at, 1), keep, [at + 1, at]);
      } else if (edit.do === 'reorder') {
        const order = before.map((_, i) => (i + at) % before.length);
        reorderParametrizations(host, name, order, { keep });
        const steps = order.map((i) => old.steps[i]!);
        // The same order changes nothing.
        wanted = this.valuesAfter(old, steps, at === 0 ? 'originals' : keep, [steps.length, steps.length]);
      } else {
        const map = mapOf(edit, places[index]!);
        if (map === null) return;
        const isInsertion = edit.do === 'insert';
        try {
          if (isInsertion) insertParametrization(host, name, map, { at });
          else replaceParametrization(host, name, at, map, { keep });
        } catch (error) {
          map.dispose();
          if (isInsertion && at === 0 && wasPlain) {
            throw new Error(`${edit.map} at the start is refused: ${String(error)}`);
          }
          throw error;
        }
        this.maps.push(map);
        const step = stepOf(map);
        const steps = spliced(old.steps, at, isInsertion ? 0 : 1, step);
        if (isInsertion && at === 0) this.count(`insert ${edit.map} at the start`);
        wanted = isInsertion
          ? this.valuesAfter(old, steps, at === 0 ? 'value' : 'originals', [0, 1])
          : this.valuesAfter(old, steps, keep, [at + 1, at + 1]);
        step.dispose?.();
      }
      if (edit.do !== 'reorder' || at > 0) this.count(`${edit.do}, keep ${keep}`);
    });
    (wanted as number[][] | null)?.forEach((value, i) => {
      this.same(`weight ${i} after the edit`, this.values()[i]!, value);
    });
  }

  /**
   * The values after an edit, by the reference as it was before. Null where roundings decide on them.
   *
   * @param keep - `'value'`: the value after the first `counts[0]` old steps is given to the first `counts[1]` new ones
   */
  private valuesAfter(
    old: ReferenceTensor,
    steps: readonly ReferenceStep[],
    keep: Edit['keep'],
    [oldCount, count]: readonly [number, number],
  ): number[][] | null {
    const { steps: before } = old;
    const changed = { ...old, steps: [...steps] };
    const [value] = tf.tidy((): tf.Variable[] => {
      if (keep === 'originals') return [tf.variable(evaluate(changed, false), false)];
      const kept = tf.clone(evaluate({ ...old, steps: before.slice(0, oldCount) }, false));
      // Without a step the originals go, with what is below them.
      const originals = steps.length === 0 ? [] : old.originals;
      const after = evaluateGiven({ ...old, originals }, steps, count, kept);
      return after === null ? [] : [tf.variable(after, false)];
    });
    this.count(value === undefined ? 'edit with an undecided value' : 'edit with a compared value');
    if (value === undefined) return null;
    // The tensor may be an original of another chain.
    Object.assign(old, { variable: value });
    const values = this.values();
    Object.assign(old, { variable: null });
    value.dispose();
    return values;
  }

  private skip({ on, at, loss }: Extract<Instruction, { do: 'skip' }>): void {
    const places = this.tensors().flatMap(placesBelow);
    const index = places.indexOf(this.place(on, places));
    const { host, name } = places[index]!;
    if (!isParametrized(host, name)) return;
    const step = at % parametrizationsOn(host, name).length;
    const mirror = this.mirrorAt(index);
    const { steps } = mirror;
    try {
      without(host, { name, step }, () => {
        // A chain with no steps is its only original.
        Object.assign(mirror, { steps: spliced(steps, step, 1) });
        this.count('skip');
        this.noteCondition();
        this.compareValues((place) => tf.tidy(() => tf.clone(valueOf(place.host, place.name))), true);
        this.gradient(loss);
      });
    } catch (error) {
      if (!isRefusal(error)) throw error;
    } finally {
      Object.assign(mirror, { steps });
    }
    if (this.hasNoState()) {
      this.compareValues((place) => tf.tidy(() => tf.clone(valueOf(place.host, place.name))), true);
    }
  }

  private readonly maps: Parametrization[] = [];

  end(): void {
    for (const scope of this.scopes.reverse()) scope[Symbol.dispose]();
    this.net.dispose();
    for (const map of this.maps) map.dispose();
    this.mirrors.forEach(disposeMirror);
    disposeOptimizer(this.optimizer);
    this.reference.dispose();
  }

  /** The weights that are computed by themselves: a shared or tied one once. */
  private tensors({ a, b }: Pair = this.net): Place[] {
    const hosts = this.program.sharing === 'none' ? [a, b] : [a];
    return hosts.map((host) => ({ host, name: 'weight' }));
  }

  private place(on: number, places = this.tensors().flatMap(placesBelow)): Place {
    const squares = places.filter(isSquare);
    return squares[on % squares.length]!;
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

  private compareValues(read: (place: Place) => tf.Tensor, isOwn = !this.isPure()): void {
    for (const [i, place] of this.tensors().entries()) {
      const wanted = tf.tidy(() => numbersOf(evaluate(this.mirrors[i]!, this.net.training)));
      const value = read(place);
      this.same(`weight ${i}`, numbersOf(value), wanted);
      if (!(value instanceof tf.Variable) && isOwn) value.dispose();
    }
  }

  /** The values, in evaluation mode and with no trace. */
  private values(): number[][] {
    return tf.tidy(() => this.mirrors.map((mirror) => numbersOf(evaluate(mirror, false))));
  }

  /** Does what changes variables or maps; the reference follows, and the optimizers learn of it. */
  private change(action: () => void): void {
    this.noteCondition();
    this.changes++;
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
      this.reports.splice(0);
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
    const { a, b } = this.net;
    return { read: [() => valueOf(a, 'weight'), () => valueOf(b, 'weight')], variables: this.variables() };
  }

  private theirs(): Weights {
    const [a, b] = this.mirrors.map((mirror) => () => evaluate(mirror, this.net.training));
    return { read: [a!, b ?? a!], variables: this.mirrors.flatMap(leaves) };
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
    const ours = gradients(this.ours());
    const theirs = gradientsNearest(this.mirrors, ours, () => gradients(this.theirs()));
    this.same(`the gradients of '${loss}'`, ours, theirs);
  }

  private step(loss: LossName): void {
    // On a kink the reference first finds the side that the module takes.
    if (liesOnKink(this.mirrors, () => this.values())) {
      this.count('step on a kink');
      this.gradient(loss);
    }
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
    const distance = distanceOf(actual, wanted);
    if (distance > 3e-3 && distance > this.roundingError()) {
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

const spliced = (
  steps: readonly ReferenceStep[],
  at: number,
  removed: number,
  ...added: readonly ReferenceStep[]
): ReferenceStep[] => [...steps.slice(0, at), ...added, ...steps.slice(at + removed)];

/** Disposes an optimizer, and what the momentum optimizer of tfjs forgets. */
function disposeOptimizer(optimizer: tf.Optimizer): void {
  optimizer.dispose();
  (optimizer as unknown as { c?: tf.Tensor }).c?.dispose();
}
