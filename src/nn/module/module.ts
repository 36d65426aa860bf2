import type { Variable } from '@tensorflow/tfjs-core';
import { ParametrizeError } from '../../core/errors.ts';
import { isThenable } from '../../core/guards.ts';
import { typeName } from '../../core/text.ts';
import { disposeVariable } from '../../engine/variable.ts';
import type { StateDictOptions } from '../stateDict/keyFormat.ts';
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

/**
 * The type of `module.parametrizations`. It is empty here, because `nn` knows nothing of parametrization. The mechanism
 * declares its properties.
 */
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
  /** True if the module is in training mode; set by {@link train} and {@link eval}. */
  training = true;

  constructor() {
    markSelf(this);
    enterNewModule(this);
  }

  /** The chains registered on this module's tensors, by tensor name; absent while there are none. */
  declare readonly parametrizations?: Parametrizations;

  /**
   * Computes the output. Call the module through {@link call}, which also frees the intermediate tensors.
   */
  // biome-ignore lint/suspicious/noExplicitAny: subclasses narrow it, and a container of modules must be able to call it
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
      if (isThenable(output)) {
        // Nobody else will see the promise; unheard, its rejection would end the process.
        Promise.resolve(output).catch(() => {});
        throw new ParametrizeError(
          'ASYNC',
          `call: the forward of ${typeName(this)} returned a promise; its tensors would be disposed before it ends. Make forward synchronous and await outside of it.`,
        );
      }
      return output as ReturnType<this['forward']>;
    });
  }

  /** Sets the training mode of this module and all below; returns this. Throws `IMMUTABLE_HOST`, with no mode changed, if one is frozen in the other mode. */
  train(mode = true): this {
    setTraining('train', this.modules(), mode);
    return this;
  }

  /** `train(false)`: dropout is off, running statistics are used instead of the batch's. */
  eval(): this {
    return this.train(false);
  }

  /**
   * Every trainable or frozen parameter of this module and all below, each variable once, own ones first.
   *
   * @throws {@link ParametrizeError} `UNREGISTERED_MODULE` if a field holds modules in a plain array
   */
  parameters(): Variable[] {
    return this.namedParameters().map(([, variable]) => variable);
  }

  /** Like {@link parameters}, with the key of each in the state dict. */
  namedParameters(): [string, Variable][] {
    return namedVariables(this, (variable) => !isBuffer(variable));
  }

  /** Every buffer of this module and all below, each variable once. */
  buffers(): Variable[] {
    return this.namedBuffers().map(([, variable]) => variable);
  }

  /** Like {@link buffers}, with the key of each in the state dict. */
  namedBuffers(): [string, Variable][] {
    return namedVariables(this, isBuffer);
  }

  /** The modules in this module's own fields, each once. */
  children(): Module[] {
    return [...new Set(this.namedChildren().map(([, child]) => child))];
  }

  /** The modules in this module's own fields, with the names of the fields. */
  namedChildren(): [string, Module][] {
    return fieldsOf(this).children;
  }

  /** This module and all below, each once, parents first. */
  modules(): Module[] {
    return this.namedModules().map(([, module]) => module);
  }

  /** Like {@link modules}, with the path of each; this module's own path is empty. */
  namedModules(): [string, Module][] {
    return everyModule(this);
  }

  /**
   * The live variables of this module and all below by torch's keys: own parameters, own buffers, then children. A
   * variable that is shared stands under every one of its keys.
   *
   * @remarks
   * **Ownership**: the variables stay the modules'; do not dispose them. With `keyFormat: 'folded'` every tensor is new and
   * the caller's.
   *
   * @throws {@link ParametrizeError} `OPTION` for a key format or an option that does not exist
   */
  stateDict(options: StateDictOptions = {}): StateDict {
    return writeStateDict(this, options);
  }

  /**
   * Copies values into the parameters and buffers of this module and all below, by key. A weight may be in the map in
   * another key format than in the module ({@link StateDictOptions.keyFormat}): normalized or plain, with torch's new
   * names or the old ones. `mapped` in the report lists such weights. A variable that has several keys is loaded from
   * any of them; if the map has more than one, their values must be equal.
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
   * An independent copy: own variables, modules, parametrizations and hooks, ties between them kept; everything else by
   * reference. A class with `#private` fields, or with arrow functions that capture `this`, must override it: JavaScript
   * cannot copy those.
   *
   * @remarks
   * **Ownership**: the copy is the caller's; dispose it.
   *
   * @throws {@link ParametrizeError} `DISPOSED` if a parameter or buffer has been disposed
   */
  clone(): this {
    return new Copier().copyRoot(lookAt(rawOf(this)));
  }

  /** @internal A part of a larger copy: by the class's own {@link clone} where it has one. */
  [COPY](copier: Copier): object {
    lookAt(this);
    return this.clone === Module.prototype.clone ? copier.copyObject(this) : copier.adopt(this.clone());
  }

  /**
   * Disposes every parameter and buffer of this module and all below; a second call does nothing. A module below that holds
   * none itself stays usable, because another module may hold it too.
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

  /** The module and all below as torch prints them. */
  toString(): string {
    return reprOf(this);
  }
}

Object.defineProperty(Module.prototype, MODULE, { value: true });
// Vue wraps in proxies whatever its proxies hand out, and a tensor in a proxy is of no use. This is how an object tells Vue
// to leave it alone, as `markRaw` does.
Object.defineProperty(Module.prototype, '__v_skip', { value: true });
