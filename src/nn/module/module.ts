import type { Variable } from '@tensorflow/tfjs-core';
import type { ParametrizeError } from '../../core/errors.ts';
import { disposeVariable } from '../../engine/variable.ts';
import type { StateDictOptions } from '../stateDict/keyFormat.ts';
import { checkSynchronous } from './checkSynchronous.ts';
import { COPY, Copier } from './copy.ts';
import { disposing, inCallOf } from './disposal.ts';
import { everyModule, fieldsOf, lastFieldsOf, lookAt, MODULE, namedVariables } from './fields.ts';
import { enterNewModule } from './heldVariables.ts';
import {
  addHook,
  type ForwardHook,
  type ForwardPreHook,
  type HookHandle,
  hooks,
  type LoadStateDictPreHook,
  type LoadStateDictReport,
  type StateDict,
} from './hooks.ts';
import { type LoadStateDictOptions, loadStateDict } from './loadStateDict.ts';
import { isBuffer } from './parameter.ts';
import { markSelf, rawOf } from './rawOf.ts';
import { reprOf } from './repr.ts';
import { setTraining } from './trainingMode.ts';
import { writeStateDict } from './writeStateDict.ts';

/** The type of `module.parametrizations`. It is empty here; the mechanism declares its properties. */
// biome-ignore lint/suspicious/noEmptyInterface: open for declaration merging
export interface Parametrizations {}

/**
 * The base class of all neural network modules.
 *
 * Parameters, buffers and children are own enumerable fields that hold a `tf.Variable` or a `Module`, in the order of
 * the fields; there is nothing to register. Arrays and objects are not searched.
 *
 * @remarks
 * **Ownership**: a module owns the variables in its fields; {@link dispose} frees them.
 *
 * @example
 * ```ts
 * class Net extends Module {
 *   hidden = new Linear(784, 32);
 *   output = new Linear(32, 10);
 *   forward(x: Tensor): Tensor { return this.output.call(tf.relu(this.hidden.call(x))); }
 * }
 * ```
 * @see torch.nn.Module
 */
export abstract class Module {
  /** True in training mode; set by {@link train} and {@link eval}. */
  training = true;

  constructor() {
    markSelf(this);
    enterNewModule(this);
  }

  /** The chains registered on this module's tensors, by tensor name; absent without chains. */
  declare readonly parametrizations?: Parametrizations;

  /**
   * Computes the output. Call the module through {@link call}, which also frees the intermediate tensors.
   */
  // biome-ignore lint/suspicious/noExplicitAny: subclasses narrow it, and containers must be able to call it
  abstract forward(...args: any[]): any;

  /**
   * Runs the forward pre-hooks, {@link forward} and the forward hooks in one tidy.
   *
   * @remarks
   * **Ownership**: tensors in the output (itself, in arrays, in plain objects) are the caller's, as any op's.
   *
   * @throws {@link ParametrizeError} `DISPOSED` after {@link dispose}, `ASYNC` if `forward` returns a promise
   */
  call(...args: Parameters<this['forward']>): ReturnType<this['forward']> {
    const self = rawOf(this);
    return inCallOf(self, () => {
      let inputs: unknown[] = args;
      for (const hook of hooks(self, 'forwardPre')) inputs = hook(self, inputs) ?? inputs;
      let output: unknown = self.forward(...inputs);
      for (const hook of hooks(self, 'forward')) output = hook(self, inputs, output) ?? output;
      checkSynchronous(self, output);
      return output as ReturnType<this['forward']>;
    });
  }

  /**
   * Sets the training mode of this module and all below; returns this. Throws `IMMUTABLE_HOST`, and changes no mode, if
   * a module that is frozen has the other mode.
   */
  train(mode = true): this {
    setTraining('train', this.modules(), mode);
    return this;
  }

  /** Calls `train(false)`: dropout is off, and running statistics replace the batch's. */
  eval(): this {
    return this.train(false);
  }

  /**
   * Returns every parameter, trainable or frozen, of this module and all below, each variable once, own ones first.
   *
   * @throws {@link ParametrizeError} `UNREGISTERED_MODULE` if a field holds modules in a plain array
   */
  parameters(): Variable[] {
    return this.namedParameters().map(([, variable]) => variable);
  }

  /** Returns the same variables as {@link parameters}, each with its key in the state dict. */
  namedParameters(): [string, Variable][] {
    return namedVariables(this, (variable) => !isBuffer(variable));
  }

  /** Returns every buffer of this module and all below, each variable once. */
  buffers(): Variable[] {
    return this.namedBuffers().map(([, variable]) => variable);
  }

  /** Returns the same variables as {@link buffers}, each with its key in the state dict. */
  namedBuffers(): [string, Variable][] {
    return namedVariables(this, isBuffer);
  }

  /** Calls a function for every module below, children before parents, and last for this one; returns this. */
  apply(fn: (module: Module) => void): this {
    for (const child of this.children()) child.apply(fn);
    fn(this);
    return this;
  }

  /** Returns the modules in this module's own fields, each once. */
  children(): Module[] {
    return [...new Set(this.namedChildren().map(([, child]) => child))];
  }

  /** Returns the modules in this module's own fields, with the names of the fields. */
  namedChildren(): [string, Module][] {
    return fieldsOf(this).children;
  }

  /** Returns this module and all below, each once, parents first. */
  modules(): Module[] {
    return this.namedModules().map(([, module]) => module);
  }

  /** Returns the same modules as {@link modules}, each with its path; this module's own path is empty. */
  namedModules(): [string, Module][] {
    return everyModule(this);
  }

  /**
   * Returns the live variables of this module and all below by torch's keys: own parameters, own buffers, then
   * children. A shared variable is listed under each of its keys.
   *
   * @remarks
   * **Ownership**: the variables stay the modules'; do not dispose them. With `keyFormat: 'folded'` every tensor is new
   * and the caller's.
   *
   * @throws {@link ParametrizeError} `OPTION` for a key format or an option that does not exist
   */
  stateDict(options: StateDictOptions = {}): StateDict {
    return writeStateDict(this, options);
  }

  /**
   * Copies values into the parameters and buffers of this module and all below, by key. The key format of a weight in
   * the map may differ from the module's ({@link StateDictOptions.keyFormat}): normalized or plain, torch's new names
   * or the old ones. `mapped` in the report lists such weights. A variable that has several keys is loaded from any of
   * them; if the map has several, their values must be equal.
   *
   * @remarks
   * **Ownership**: the tensors of the map stay the caller's.
   *
   * @throws {@link StateDictError} if a shape differs, if the keys of one variable have different values, or with
   * `strict` a key is missing or unexpected; all problems are listed and nothing is changed
   * @throws {@link ParametrizeError} `DISPOSED` if a parameter or buffer has been disposed
   * @see torch.nn.Module.load_state_dict
   */
  loadStateDict(map: StateDict, options?: LoadStateDictOptions): LoadStateDictReport {
    return loadStateDict(this, map, options);
  }

  /** Registers a function that runs before each {@link forward} and may replace its arguments. */
  registerForwardPreHook(hook: ForwardPreHook<this>): HookHandle {
    return addHook(this, 'forwardPre', hook as ForwardPreHook);
  }

  /** Registers a function that runs after each {@link forward} and may replace its output. */
  registerForwardHook(hook: ForwardHook<this>): HookHandle {
    return addHook(this, 'forward', hook as ForwardHook);
  }

  /** Registers a function that may rename, add or delete entries before {@link loadStateDict} matches keys. */
  registerLoadStateDictPreHook(hook: LoadStateDictPreHook<this>): HookHandle {
    return addHook(this, 'loadStateDictPre', hook as LoadStateDictPreHook);
  }

  /**
   * Returns an independent copy. Variables, modules, parametrizations and hooks are copied, with the ties between them;
   * everything else is shared. A class with `#private` fields, or with arrow functions that capture `this`, must
   * override it: JavaScript cannot copy those.
   *
   * @remarks
   * **Ownership**: the copy is the caller's; dispose it.
   *
   * @throws {@link ParametrizeError} `DISPOSED` if a parameter or buffer has been disposed
   */
  clone(): this {
    return new Copier().copyRoot(lookAt(rawOf(this)));
  }

  /** @internal Copies the module as a part of a larger copy, by the class's own {@link clone} if it has one. */
  [COPY](copier: Copier): object {
    lookAt(this);
    return this.clone === Module.prototype.clone ? copier.copyObject(this) : copier.adopt(this.clone());
  }

  /**
   * Disposes every parameter and buffer of this module and all below; a second call does nothing. A module below
   * without variables stays usable, because another module may hold it too.
   */
  dispose(): void {
    const self = rawOf(this);
    disposing(self, (spared) => {
      const { variables, children } = lastFieldsOf(self);
      for (const hook of hooks(self, 'dispose')) hook(self);
      for (const [, child] of children) child.dispose();
      for (const [, variable] of variables) if (!spared.has(variable)) disposeVariable(variable);
      return variables.length > 0;
    });
  }

  /** Returns the text between the parentheses of {@link toString}: the options of the layer. */
  extraRepr(): string {
    return '';
  }

  /** Returns the module and all below as torch prints them. */
  toString(): string {
    return reprOf(this);
  }
}

Object.defineProperty(Module.prototype, MODULE, { value: true });
// Vue wraps everything that its proxies return, and a wrapped tensor does not work. Vue leaves alone an object with
// this flag, as after `markRaw`.
Object.defineProperty(Module.prototype, '__v_skip', { value: true });
