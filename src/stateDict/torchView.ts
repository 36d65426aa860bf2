import type { NamedTensorMap, Tensor, Variable } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { ParametrizeError, refusal } from '../core/errors.ts';
import { joinPath } from '../core/paths.ts';
import { disposeVariable } from '../engine/variable.ts';
import { TransposedConvolution } from '../nn/convolution/transposedConvolution.ts';
import { isModule, namedState } from '../nn/module/fields.ts';
import { Module } from '../nn/module/module.ts';
import { buffer, isBuffer, parameter } from '../nn/module/parameter.ts';
import { registrationOf } from '../parametrize/chain/registry.ts';
import { normalizationAlike } from './normalizationAlike.ts';
import type { RecipeTie, TensorRecipe } from './recipe.ts';
import { currentValue, nativeKey, type StateTensor } from './stateTensor.ts';
import type { StatePart, TorchState } from './stateView.ts';

/**
 * The form of a tensor in a view: torch's plain tensor, torch's normalized tensor, or the tensor of the model under the
 * names of its framework (its variables, or its value).
 */
type ViewMode = 'plain' | 'normalized' | 'native' | 'nativeValue';

/** Chooses one of the possible modes of a tensor, or null to leave it out. The last mode is always the value. */
export type ChooseMode = (
  tensor: StateTensor,
  part: StatePart,
  possible: readonly ViewMode[],
) => ViewMode | null;

/** A tensor of a model in a view. */
export interface ViewTensor {
  readonly tensor: StateTensor;
  readonly part: StatePart;
  /** The module of the view with the tensor, unless the mode is native. */
  readonly module: Module;
  mode: ViewMode;
  /** The variables in the view by torch's names, or for a native mode by the names below the chain. */
  variables: ReadonlyMap<string, Variable>;
  /** The path in the model for each key in the state of the view. */
  paths: ReadonlyMap<string, string>;
}

/**
 * A module with the state of a model in torch's names and layout. It can be loaded and saved like any module.
 *
 * @remarks
 * **Ownership**: the view has copies; {@link dispose} it.
 */
export class TorchView {
  readonly module: Module;
  readonly tensors: readonly ViewTensor[];
  /** The recipe of tied tensors of the model. */
  readonly tied: readonly TensorRecipe[];

  /** @throws {@link ParametrizeError} `DISPOSED`; `INVALID_NAME` for a part with a name that no module can have */
  constructor(state: TorchState, choose: ChooseMode) {
    this.module = moduleNamed(state.type);
    this.tied = state.tied;
    try {
      this.tensors = state.parts.flatMap((part) => {
        const module = this.partOf(part);
        return part.tensors.flatMap((tensor): ViewTensor[] => {
          const mode = choose(tensor, part, possibleModes(tensor));
          if (mode === null) return [];
          const viewed = { tensor, part, module, mode, variables: new Map(), paths: new Map() };
          if (mode === 'native' || mode === 'nativeValue') this.addNative(viewed);
          else addTorch(viewed);
          return [viewed];
        });
      });
    } catch (error) {
      this.module.dispose();
      throw error;
    }
    this.module.eval();
  }

  /** Returns the tensor that a recipe names by the names of torch or of the model, or undefined. */
  find({ path, tensor }: Pick<RecipeTie, 'path' | 'tensor'>): ViewTensor | undefined {
    return this.tensors.find(
      ({ part, tensor: own }) =>
        (part.path === path && own.torchNames.includes(tensor)) ||
        (own.hostPath === path && own.name === tensor),
    );
  }

  /** Replaces a plain tensor by its native form, which it will have in the model when it is parametrized. */
  makeNative(viewed: ViewTensor, tensors: NamedTensorMap): void {
    const { tensor, module, mode } = viewed;
    for (const [name, variable] of viewed.variables) {
      const [owner, field] = mode === 'native' ? [this.module, tensor.path] : [module, name];
      delete (owner as unknown as Record<string, Variable>)[field];
      disposeVariable(variable);
    }
    const prefix = nativeKey(tensor, '');
    const keys = Object.keys(tensors).filter((key) => key.startsWith(prefix));
    viewed.mode = 'native';
    const entries = keys.map((key) => {
      const variable = addVariable(this.module, key, () => tf.zerosLike(tensors[key]!), true);
      return [key.slice(prefix.length), variable] as const;
    });
    viewed.variables = new Map(entries);
    viewed.paths = new Map(keys.map((key) => [key, key]));
  }

  /** Notes a registration on a plain tensor of the view. */
  parametrized(viewed: ViewTensor, torchName: string): void {
    this.module.eval();
    viewed.paths = chainPaths(viewed, torchName);
  }

  /** Frees the view. */
  dispose(): void {
    this.module.dispose();
  }

  private partOf({ path, isTransposed }: StatePart): Module {
    const root = this.module;
    if (path === '') return root;
    const known: unknown = Object.getOwnPropertyDescriptor(root, path)?.value;
    if (isModule(known)) return known;
    if (path in root) {
      throw new ParametrizeError('INVALID_NAME', {
        fact: `a layer is called '${path}', as something that every module has, so that no state dict has that name`,
        remedy: 'Give it another one.',
      });
    }
    const part = isTransposed
      ? // The output channels of a weight depend on this class. Its constructor would make weights, so it is not called.
        (Object.assign(Object.create(TransposedConvolution.prototype), { training: false }) as Module)
      : moduleNamed('Part');
    Object.defineProperty(root, path, fieldOf(part));
    return part;
  }

  private addNative(viewed: ViewTensor): void {
    const { tensor } = viewed;
    const registration = registrationOf(tensor.host, tensor.name);
    const isValue = registration === undefined || viewed.mode === 'nativeValue';
    const state = isValue ? [['', null] as const] : namedState(registration.list);
    const keyOf = (key: string): string => (isValue ? tensor.path : nativeKey(tensor, key));
    const entries = state.map(([key, variable]) => {
      const isState = (variable !== null && isBuffer(variable)) || tensor.isBuffer === true;
      const value = (): Tensor => variable ?? currentValue(tensor);
      return [key, addVariable(this.module, keyOf(key), value, isState)] as const;
    });
    viewed.variables = new Map(entries);
    viewed.paths = new Map(state.map(([key]) => [keyOf(key), keyOf(key)]));
  }
}

const fieldOf = (value: unknown): PropertyDescriptor => ({
  value,
  enumerable: true,
  configurable: true,
  writable: true,
});

/** Makes a module that only carries state. Messages show the type of the model. */
function moduleNamed(type: string): Module {
  const classes = {
    [type]: class extends Module {
      forward(): never {
        throw refusal('UNSUPPORTED_HOST', 'forward', 'a view has a state and computes nothing');
      }
    },
  };
  return new classes[type]!();
}

function possibleModes({ host, name, torchNames, layout }: StateTensor): ViewMode[] {
  const isParametrized = registrationOf(host, name) !== undefined;
  if (torchNames.length === 0 || layout === null) {
    return isParametrized ? ['native', 'nativeValue'] : ['native'];
  }
  if (!isParametrized) return ['plain'];
  return torchNames.length === 1 && normalizationAlike(host, name, layout) !== null
    ? ['normalized', 'native', 'plain']
    : ['native', 'plain'];
}

function addTorch(viewed: ViewTensor): void {
  const { tensor, part, module } = viewed;
  const layout = tensor.layout!;
  const entries = tensor.torchNames.map((name, i) => {
    const value = (): Tensor => {
      const own = layout.toTorch(currentValue(tensor));
      // b + −0 is b for every b, so a tensor that is saved as a sum of two loads bit for bit.
      return i === 0 ? own : tf.neg(tf.zerosLike(own));
    };
    return [name, addVariable(module, name, value, tensor.isBuffer === true)] as const;
  });
  viewed.variables = new Map(entries);
  viewed.paths = new Map(tensor.torchNames.map((name) => [joinPath(part.path, name), tensor.path]));
  if (viewed.mode === 'plain') return;
  const [torchName] = tensor.torchNames as [string];
  normalizationAlike(tensor.host, tensor.name, layout)!.register(module, torchName);
  viewed.paths = chainPaths(viewed, torchName);
}

/** Returns the paths in the model of the variables of a chain, by their paths in the view. */
const chainPaths = ({ tensor, part, module }: ViewTensor, torchName: string): Map<string, string> =>
  new Map(
    namedState(registrationOf(module, torchName)!.list).map(([key]) => [
      joinPath(part.path, `parametrizations.${torchName}.${key}`),
      nativeKey(tensor, key),
    ]),
  );

function addVariable(owner: Module, field: string, value: () => Tensor, isState: boolean): Variable {
  const variable = (isState ? buffer : parameter)(() => tf.tidy(value));
  Object.defineProperty(owner, field, fieldOf(variable));
  return variable;
}
