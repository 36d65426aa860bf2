import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { refusal } from '../../core/errors.ts';
import { typeName } from '../../core/text.ts';
import {
  callLayoutAware,
  inTorchLayout,
  LAYOUT_AWARE,
  type TensorInLayout,
  torchLayout,
} from '../layout/layoutAware.ts';
import { isModule } from '../module/fields.ts';
import { Module } from '../module/module.ts';
import { noForward } from '../module/noForward.ts';
import { appendChildren, type NamedModules, pairsOf, setChild } from './childNames.ts';

/** The base class of {@link Sequential} and {@link ModuleList}: modules in order, found by index. */
export abstract class ModuleSequence<M extends Module = Module> extends Module {
  /** The modules by index, unless they have names. */
  [index: number]: M;

  /** The number of modules. */
  get length(): number {
    return this.namedChildren().length;
  }

  /**
   * Returns the module at a position, even if it has a name. A negative index counts from the end.
   *
   * @throws {@link ParametrizeError} `OPTION` if there is no such element
   */
  at(index: number): M {
    const modules = [...this];
    const found = modules.at(index);
    if (found !== undefined && Number.isInteger(index)) return found;
    throw refusal(
      'OPTION',
      typeName(this),
      `the index is ${index}, and the container has ${modules.length} modules`,
      `Pass an index from ${-modules.length} to ${modules.length - 1}.`,
    );
  }

  /**
   * Adds a module at the end, with its index as the name; returns this.
   *
   * @throws {@link ParametrizeError} `OPTION` if the argument is not a module, `INVALID_NAME` if the other modules have
   * names
   */
  append(module: M): this {
    appendChildren(this, [[String(this.length), module]]);
    return this;
  }

  /** Iterates over the modules in order. A module that was added twice comes twice. */
  *[Symbol.iterator](): IterableIterator<M> {
    for (const [, child] of this.namedChildren()) yield child as M;
  }
}

/**
 * Modules that run one after the other, each on the output of the previous one.
 *
 * `y = fₙ(…f₁(f₀(x)))`
 *
 * @remarks
 * **Shape**: the shape of the modules.
 * **State**: the state of the modules, under `0.`, `1.`, … or their names.
 * **Gradient**: the gradient of the modules.
 * **Ownership**: `call` returns a new tensor to the caller and frees the intermediate tensors; `dispose` disposes the
 * modules.
 *
 * @example
 * ```ts
 * const net = new Sequential(new Linear(4, 8), new Tanh(), new Linear(8, 3));
 * const named = new Sequential({ hidden: new Linear(4, 8), output: new Linear(8, 3) });
 * ```
 * @see torch.nn.Sequential
 */
export class Sequential extends ModuleSequence {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'Sequential';
  /** @internal Children are named by index. */
  static readonly hasIndices: boolean = true;

  /**
   * @param modules - the modules as arguments, or a single object or array of pairs that names them
   * @throws {@link ParametrizeError} `OPTION` if an argument is not a module, `INVALID_NAME` if a name cannot be a
   * field
   */
  constructor(...modules: readonly Module[] | readonly [NamedModules]) {
    super();
    const [first] = modules;
    const named = modules.length === 1 && !isModule(first);
    appendChildren(
      this,
      named
        ? pairsOf('Sequential', first as NamedModules)
        : (modules as readonly Module[]).map((module, i) => [String(i), module]),
    );
  }

  forward(x: Tensor): Tensor {
    return inTorchLayout(this[LAYOUT_AWARE](torchLayout(x)));
  }

  /** @internal */
  [LAYOUT_AWARE](x: TensorInLayout): TensorInLayout {
    let y = x;
    for (const module of this) y = callLayoutAware(module, y);
    // Without modules, the result is a second tensor on the same data, because x belongs to the caller.
    const { tensor, isChannelsLast } = y;
    if (tensor !== x.tensor || !(tensor instanceof tf.Tensor)) return y;
    return { tensor: tf.reshape(tensor, tensor.shape), isChannelsLast };
  }
}

/**
 * Modules in a list. The module that holds the list finds them.
 *
 * @remarks
 * **Shape**: none. A list computes nothing; call the modules in it.
 * **State**: the state of the modules, under `0.`, `1.`, …
 * **Gradient**: the gradient of the modules.
 * **Ownership**: `dispose` disposes the modules.
 *
 * @example
 * ```ts
 * layers = new ModuleList([new Linear(4, 4), new Linear(4, 4)]);
 * forward(x: Tensor): Tensor {
 *   for (const layer of this.layers) x = layer.call(x);
 *   return x;
 * }
 * ```
 * @see torch.nn.ModuleList
 */
export class ModuleList<M extends Module = Module> extends ModuleSequence<M> {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'ModuleList';
  /** @internal Children are named by index. */
  static readonly hasIndices: boolean = true;

  /** @throws {@link ParametrizeError} `OPTION` if one is not a module */
  constructor(modules: Iterable<M> = []) {
    super();
    appendChildren(
      this,
      [...modules].map((module, i) => [String(i), module]),
    );
  }

  /**
   * @throws {@link ParametrizeError} `NOT_A_FUNCTION`, always: a list computes nothing
   */
  forward(): never {
    throw noForward(this, 'modules', 'Call the modules in it: for (const module of list) x = module.call(x)');
  }
}

/**
 * Modules by name. The module that holds the dictionary finds them.
 *
 * @remarks
 * **Shape**: none. A dictionary computes nothing; call the modules in it.
 * **State**: the state of the modules, under their names. Names that are whole numbers come first, in ascending order.
 * **Gradient**: the gradient of the modules.
 * **Ownership**: `dispose` disposes the modules. A replaced or deleted module belongs to the caller.
 *
 * @example
 * ```ts
 * heads = new ModuleDict({ mean: new Linear(8, 1), scale: new Linear(8, 1) });
 * forward(x: Tensor, head: string): Tensor { return this.heads.get(head)!.call(x); }
 * ```
 * @see torch.nn.ModuleDict
 */
export class ModuleDict<M extends Module = Module> extends Module {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'ModuleDict';

  /** @throws {@link ParametrizeError} `OPTION` if a value is not a module, `INVALID_NAME` as for {@link set} */
  constructor(modules: NamedModules<M> = {}) {
    super();
    for (const [name, module] of pairsOf('ModuleDict', modules)) this.set(name, module);
  }

  /** The number of modules. */
  get size(): number {
    return this.namedChildren().length;
  }

  /** Returns the module of a name, or undefined. */
  get(name: string): M | undefined {
    const value: unknown = Object.getOwnPropertyDescriptor(this, name)?.value;
    return isModule(value) ? (value as M) : undefined;
  }

  /**
   * Adds a module, or replaces the module of that name; returns this.
   *
   * @throws {@link ParametrizeError} `OPTION` if the value is not a module, `INVALID_NAME` if the name is empty, has a
   * dot, or is a property of every ModuleDict or object: `forward`, `get`, `constructor`, …
   */
  set(name: string, module: M): this {
    setChild(this, name, module);
    return this;
  }

  /** Returns true if a module has that name. */
  has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  /** Removes the module of a name without disposing it. Returns true if it existed. */
  delete(name: string): boolean {
    return this.has(name) && Reflect.deleteProperty(this, name);
  }

  /** Iterates over the names. */
  *keys(): IterableIterator<string> {
    for (const [name] of this.namedChildren()) yield name;
  }

  /** Iterates over the modules. */
  *values(): IterableIterator<M> {
    for (const [, child] of this.namedChildren()) yield child as M;
  }

  /** Iterates over the names with their modules. */
  *entries(): IterableIterator<[string, M]> {
    for (const [name, child] of this.namedChildren()) yield [name, child as M];
  }

  /** The same as {@link entries}. */
  [Symbol.iterator](): IterableIterator<[string, M]> {
    return this.entries();
  }

  /**
   * @throws {@link ParametrizeError} `NOT_A_FUNCTION`, always: a dictionary computes nothing
   */
  forward(): never {
    throw noForward(this, 'modules', "Call the modules in it: dict.get('name').call(x)");
  }
}
