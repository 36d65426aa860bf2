import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import { patchMethod } from '../../core/patchMethod.ts';
import { markFrozen } from '../../engine/keepFrozen.ts';
import { isDisposedLayer, type Layer, weightListsOf } from '../../engine/layer.ts';
import {
  holderOf,
  type LayerVariable,
  nameHolder,
  putVariable,
  syncTrainable,
} from '../../engine/layerVariable.ts';
import { scoped } from '../../engine/scope.ts';
import { disposeVariable } from '../../engine/variable.ts';
import { tieOf } from '../../nn/module/normalizedTensor.ts';
import type { Attachment } from '../../parametrize/chain/attachment.ts';
import type { ParametrizationList } from '../../parametrize/chain/parametrizationList.ts';
import { checkConfigurable } from '../../parametrize/host/tensorAccessor.ts';
import { keepKeyOrder, undoable } from '../../parametrize/transaction.ts';
import { enterMode, leaveMode } from './callMode.ts';
import { frozenVariables } from './frozenVariables.ts';
import { noteUntied } from './onceTied.ts';

const attachments = new WeakMap<LayerVariable, LayerAttachment>();
const computedOf = new WeakMap<LayerVariable, LayerVariable>();

/** Returns the attachment of the chain that computes a weight, or undefined for a plain weight. */
export const attachmentOf = (weight: LayerVariable): LayerAttachment | undefined => attachments.get(weight);

/**
 * Returns the weight that an original or a state belongs to, or once belonged to. Returns any other weight unchanged.
 */
export const weightBehind = (weight: LayerVariable): LayerVariable => computedOf.get(weight) ?? weight;

/**
 * Turns a weight of a layer into the computed tensor and back.
 *
 * Note [Weights of layers]. Layers read their weights through the `LayerVariable` in their field, and regularizers have
 * captured that object. So the object stays, and reads of it are computed. For everything else (training, saving,
 * counting, freezing, disposing), tfjs uses the lists of the layer that owns the weight. In these lists, holders of the
 * originals and of the state of the parametrizations replace the weight.
 */
export class LayerAttachment implements Attachment {
  private readonly layer: Layer;
  private readonly weight: LayerVariable;
  /** The chain that computes the weight. */
  list: ParametrizationList | null = null;
  private holders: { readonly parameters: LayerVariable[]; readonly buffers: LayerVariable[] } = {
    parameters: [],
    buffers: [],
  };
  /** The holder of each variable: a change that is taken back finds the one that a compiled model has collected. */
  private readonly holderOf = new WeakMap<Variable, LayerVariable>();
  private folds = 0;
  /** The index of the list of the layer that the weight comes from, while nothing takes its place. */
  private listIndex = 0;
  /** The variables that definitions freeze. */
  private frozen: readonly Variable[] = [];
  private restoreDispose: (() => void) | null = null;
  /** Removes the marks of those that were not marked before. */
  private readonly unmark = new Map<Variable, () => void>();

  constructor(layer: Layer, weight: LayerVariable) {
    this.layer = layer;
    this.weight = weight;
  }

  /** The originals, which are trained instead of the weight. */
  get parameters(): readonly LayerVariable[] {
    return this.holders.parameters;
  }

  /** True for a variable that the definition of a parametrization freezes. */
  isFrozen(parameter: LayerVariable): boolean {
    return this.frozen.includes(parameter.val);
  }

  checkUninstall(caller: string): void {
    checkConfigurable(caller, this.weight, ['val', 'read', 'write', 'dispose', 'trainable']);
    checkConfigurable(caller, this.layer, ['call']);
  }

  install(list: ParametrizationList): void {
    const { weight } = this;
    this.list = list;
    attachments.set(weight, this);
    const properties: PropertyDescriptorMap & ThisType<LayerVariable> = {
      val: { get: () => list.read() },
      read: { value: () => list.read() },
      write: {
        value(value: Tensor): LayerVariable {
          scoped('write', () => list.assign(weight.constraint?.apply(value) ?? value));
          return weight;
        },
      },
      dispose: { value: () => list.dispose() },
      trainable: {
        // The layer lists weights that are not trained last.
        get: () =>
          tieOf(list) === undefined ? this.parameters.some(({ trainable }) => trainable) : list.wasTrainable,
        set: (trainable: boolean) => {
          for (const parameter of this.parameters) parameter.trainable = trainable;
        },
      },
    };
    // The properties are not enumerable, because `tf.tidy` walks layers in a result and would evaluate them.
    for (const property of Object.values(properties)) {
      Object.assign(property, { configurable: true, enumerable: false });
    }
    Object.defineProperties(weight, properties);
    this.holders = this.hold(list);
    this.show([weight], []);
    enterMode(this.layer, list);
    if (tieOf(list) !== undefined) this.restoreDispose = endWithLayer(this.layer, list);
  }

  uninstall(list: ParametrizationList, variable: Variable): void {
    const { layer, weight, holders, frozen } = this;
    const lists = weightListsOf(layer).map((weights) => [weights, [...weights]] as const);
    const properties = Object.getOwnPropertyDescriptors(weight);
    keepKeyOrder(weight);
    keepKeyOrder(layer);
    const enterAgain = leaveMode(layer, list);
    undoable(() => {
      // The holders stay the same, because a compiled model has collected them.
      this.holders = holders;
      this.list = list;
      attachments.set(weight, this);
      Object.defineProperties(weight, properties);
      for (const [weights, before] of lists) weights.splice(0, weights.length, ...before);
      enterAgain();
      if (tieOf(list) !== undefined) this.restoreDispose = endWithLayer(layer, list);
      this.keepFrozen(frozen);
    });
    this.restoreDispose?.();
    this.restoreDispose = null;
    if (tieOf(list) !== undefined) noteUntied(weight);
    this.showWeight();
    for (const name of ['read', 'write', 'dispose', 'trainable'] as const) {
      delete (weight as Partial<LayerVariable>)[name];
    }
    putVariable(weight, variable);
    attachments.delete(weight);
    this.keepFrozen([]);
    this.list = null;
    this.holders = { parameters: [], buffers: [] };
  }

  changed(list: ParametrizationList): void {
    const before = this.holders;
    this.holders = this.hold(list);
    list.train(false);
    if (this.folds > 0) return;
    this.show(before.parameters, before.buffers);
  }

  /** Puts the weight, with its computed value, in the lists of the layer. Returns a function that undoes this. */
  fold(): () => void {
    if (this.folds++ === 0) this.showWeight();
    return () => {
      if (--this.folds > 0 || this.list === null) return;
      this.show([this.weight], []);
    };
  }

  /** Puts the weight in the lists of the layer in place of the holders. */
  private showWeight(): void {
    const { layer, weight, holders } = this;
    if (holders.parameters.length > 0) replace(layer, holders.parameters, [weight]);
    else insert(weightListsOf(layer)[this.listIndex]!, weight);
    replace(layer, holders.buffers, []);
  }

  /** Puts the holders in the lists of the layer in place of these weights. States without a place go to the end. */
  private show(parameters: readonly LayerVariable[], buffers: readonly LayerVariable[]): void {
    const { layer, holders } = this;
    if (holders.parameters.length === 0) {
      this.listIndex = weightListsOf(layer).findIndex((list) => list.some((one) => parameters.includes(one)));
    }
    replace(layer, parameters, holders.parameters);
    if (buffers.length > 0) replace(layer, buffers, holders.buffers);
    else weightListsOf(layer)[1].push(...holders.buffers);
  }

  /** Returns holders for all variables of a chain. A variable always has the same holder, named by its current key. */
  private hold(list: ParametrizationList): { parameters: LayerVariable[]; buffers: LayerVariable[] } {
    const held = ([key, variable]: [string, Variable]): LayerVariable => {
      const holder = this.holderOf.get(variable) ?? this.makeHolder(list, variable);
      nameHolder(holder, this.weight, key);
      return holder;
    };
    this.keepFrozen(frozenVariables(list));
    const parameters = list.namedParameters().map(held);
    for (const parameter of parameters) syncTrainable(parameter);
    return { parameters, buffers: list.namedBuffers().map(held) };
  }

  /** Keeps exactly these variables frozen. `compile` of a model, and `trainable` of a layer, would let them train. */
  private keepFrozen(frozen: readonly Variable[]): void {
    this.frozen = frozen;
    for (const [variable, unmark] of this.unmark) {
      if (frozen.includes(variable)) continue;
      unmark();
      this.unmark.delete(variable);
    }
    for (const variable of frozen) {
      const unmark = this.unmark.has(variable)
        ? null
        : markFrozen(variable, Object.getPrototypeOf(this.weight) as object);
      // A variable that was marked before was frozen by the user, and stays so after the removal.
      if (unmark !== null) this.unmark.set(variable, unmark);
    }
  }

  private makeHolder(list: ParametrizationList, variable: Variable): LayerVariable {
    const holder = holderOf(variable, this.weight);
    this.holderOf.set(variable, holder);
    computedOf.set(holder, this.weight);
    // Only disposal of the layer disposes an original, so the cached value is disposed with the first original.
    const dispose = (): void => {
      disposeVariable(variable);
      list.clear();
    };
    Object.defineProperty(holder, 'dispose', { value: dispose, enumerable: false, configurable: true });
    return holder;
  }
}

/** Frees the value of a chain without originals with its layer. Returns a function that undoes this. */
const endWithLayer = (layer: Layer, list: ParametrizationList): (() => void) =>
  patchMethod(layer, 'dispose', (dispose) => () => {
    const result = dispose.call(layer);
    if (isDisposedLayer(layer)) list.clear();
    return result;
  });

/** Inserts a weight in a list in the order in which the layer has made its weights. */
function insert(list: LayerVariable[], weight: LayerVariable): void {
  list.splice(list.filter((other) => weightBehind(other).id < weight.id).length, 0, weight);
}

/** Replaces adjacent weights in a list of a layer. Weights that are not adjacent are removed one by one. */
function replace(layer: Layer, from: readonly LayerVariable[], to: readonly LayerVariable[]): void {
  for (const list of weightListsOf(layer)) {
    const at = list.findIndex((weight) => from.includes(weight));
    if (at < 0) continue;
    const rest = list.filter((weight) => !from.includes(weight));
    list.splice(0, list.length, ...rest.slice(0, at), ...to, ...rest.slice(at));
    return;
  }
}
