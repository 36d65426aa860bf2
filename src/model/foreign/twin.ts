import type { NamedTensorMap, Tensor, Variable } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { ParametrizeError } from '../../core/errors.ts';
import { joinPath } from '../../core/paths.ts';
import { disposeVariable } from '../../engine/variable.ts';
import { TransposedConvolution } from '../../nn/convolution/transposedConvolution.ts';
import { isModule, namedState } from '../../nn/module/fields.ts';
import { Module } from '../../nn/module/module.ts';
import { buffer, isBuffer, parameter } from '../../nn/module/parameter.ts';
import { registrationOf } from '../../parametrize/registry.ts';
import type { ForeignPart, ForeignState, ForeignTensor } from './foreignModel.ts';
import { currentValue, nativeKey } from './foreignTensor.ts';
import { normalizationAlike } from './normalizationAlike.ts';

/**
 * How a tensor stands in a twin: as torch's plain tensor, normalized as in the model, or as the model itself has it, under
 * the names of its own framework; its variables, or its value.
 */
type TwinMode = 'plain' | 'normalized' | 'native' | 'nativeValue';

/** Chooses one of the modes that a tensor can have; the last is always that of its value. */
export type ChooseMode = (
  tensor: ForeignTensor,
  part: ForeignPart,
  possible: readonly TwinMode[],
) => TwinMode;

/** A tensor of a foreign model in its twin. */
export interface TwinTensor {
  readonly tensor: ForeignTensor;
  readonly part: ForeignPart;
  /** The module of the twin that has it, unless it is native. */
  readonly module: Module;
  mode: TwinMode;
  /** Its variables in the twin: by torch's names, or of what is native by the names below its chain. */
  variables: ReadonlyMap<string, Variable>;
  /** For each of its keys in the state of the twin, its path in the model. */
  paths: ReadonlyMap<string, string>;
}

/**
 * A module with the state of a foreign model in torch's names and layout: what loads, saves and spells state dicts works on it
 * as on any module.
 *
 * @remarks
 * **Ownership**: copies; {@link dispose} it.
 */
export class Twin {
  readonly module: Module;
  readonly tensors: readonly TwinTensor[];

  /** @throws {@link ParametrizeError} `DISPOSED`; `INVALID_NAME` for a part that no module can have under that name */
  constructor(state: ForeignState, choose: ChooseMode) {
    this.module = moduleNamed(state.type);
    try {
      this.tensors = state.parts.flatMap((part) => {
        const module = this.partOf(part);
        return part.tensors.map((tensor): TwinTensor => {
          const mode = choose(tensor, part, possibleModes(tensor));
          const twin = { tensor, part, module, mode, variables: new Map(), paths: new Map() };
          if (mode === 'native' || mode === 'nativeValue') this.addNative(twin);
          else addTorch(twin);
          return twin;
        });
      });
    } catch (error) {
      this.module.dispose();
      throw error;
    }
    this.module.eval();
  }

  /** Lets a plain tensor stand as the model's own framework will have it when it is parametrized. */
  makeNative(twin: TwinTensor, tensors: NamedTensorMap): void {
    const { tensor, module, mode } = twin;
    for (const [name, variable] of twin.variables) {
      const [owner, field] = mode === 'native' ? [this.module, tensor.path] : [module, name];
      delete (owner as unknown as Record<string, Variable>)[field];
      disposeVariable(variable);
    }
    const prefix = nativeKey(tensor, '');
    const keys = Object.keys(tensors).filter((key) => key.startsWith(prefix));
    twin.mode = 'native';
    const entries = keys.map((key) => {
      const variable = addVariable(this.module, key, () => tf.zerosLike(tensors[key]!), true);
      return [key.slice(prefix.length), variable] as const;
    });
    twin.variables = new Map(entries);
    twin.paths = new Map(keys.map((key) => [key, key]));
  }

  /** Takes note of what has been registered on a plain tensor of the twin. */
  parametrized(twin: TwinTensor, torchName: string): void {
    this.module.eval();
    const { list } = registrationOf(twin.module, torchName)!;
    twin.paths = new Map(
      namedState(list).map(([key]) => [
        joinPath(twin.part.path, `parametrizations.${torchName}.${key}`),
        nativeKey(twin.tensor, key),
      ]),
    );
  }

  /** Frees the twin. */
  dispose(): void {
    this.module.dispose();
  }

  private partOf({ path, isTransposed }: ForeignPart): Module {
    const root = this.module;
    if (path === '') return root;
    const known: unknown = Object.getOwnPropertyDescriptor(root, path)?.value;
    if (isModule(known)) return known;
    if (path in root) {
      throw new ParametrizeError(
        'INVALID_NAME',
        `a layer is called '${path}', as something that every module has, so that no state dict has that name. Give it another one.`,
      );
    }
    const part = isTransposed
      ? // What looks for the output channels of a weight asks for this class; its constructor would make weights.
        (Object.assign(Object.create(TransposedConvolution.prototype), { training: false }) as Module)
      : moduleNamed('Part');
    Object.defineProperty(root, path, fieldOf(part));
    return part;
  }

  private addNative(twin: TwinTensor): void {
    const { tensor } = twin;
    const registration = registrationOf(tensor.host, tensor.name);
    const isValue = registration === undefined || twin.mode === 'nativeValue';
    const state = isValue ? [['', null] as const] : namedState(registration.list);
    const keyOf = (key: string): string => (isValue ? tensor.path : nativeKey(tensor, key));
    const entries = state.map(([key, variable]) => {
      const isState = (variable !== null && isBuffer(variable)) || tensor.isBuffer === true;
      const value = (): Tensor => variable ?? currentValue(tensor);
      return [key, addVariable(this.module, keyOf(key), value, isState)] as const;
    });
    twin.variables = new Map(entries);
    twin.paths = new Map(state.map(([key]) => [keyOf(key), keyOf(key)]));
  }
}

const fieldOf = (value: unknown): PropertyDescriptor => ({
  value,
  enumerable: true,
  configurable: true,
  writable: true,
});

/** A module that carries state only, called as the model in messages. */
function moduleNamed(type: string): Module {
  const classes = {
    [type]: class extends Module {
      forward(): never {
        throw new ParametrizeError('UNSUPPORTED_HOST', 'forward: a twin has a state and computes nothing.');
      }
    },
  };
  return new classes[type]!();
}

function possibleModes({ host, name, torchNames, layout }: ForeignTensor): TwinMode[] {
  const isParametrized = registrationOf(host, name) !== undefined;
  if (torchNames.length === 0 || layout === null) {
    return isParametrized ? ['native', 'nativeValue'] : ['native'];
  }
  if (!isParametrized) return ['plain'];
  return torchNames.length === 1 && normalizationAlike(host, name, layout) !== null
    ? ['normalized', 'native', 'plain']
    : ['native', 'plain'];
}

function addTorch(twin: TwinTensor): void {
  const { tensor, part, module } = twin;
  const layout = tensor.layout!;
  const entries = tensor.torchNames.map((name, i) => {
    const value = (): Tensor => {
      const own = layout.toTorch(currentValue(tensor));
      // b + −0 is b for every b, so that what is saved as a sum of two comes back bit for bit.
      return i === 0 ? own : tf.neg(tf.zerosLike(own));
    };
    return [name, addVariable(module, name, value, tensor.isBuffer === true)] as const;
  });
  twin.variables = new Map(entries);
  twin.paths = new Map(tensor.torchNames.map((name) => [joinPath(part.path, name), tensor.path]));
  if (twin.mode === 'plain') return;
  const [torchName] = tensor.torchNames as [string];
  normalizationAlike(tensor.host, tensor.name, layout)!.register(module, torchName);
  const { list } = registrationOf(module, torchName)!;
  twin.paths = new Map(
    namedState(list).map(([key]) => [
      joinPath(part.path, `parametrizations.${torchName}.${key}`),
      nativeKey(tensor, key),
    ]),
  );
}

function addVariable(owner: Module, field: string, value: () => Tensor, isState: boolean): Variable {
  const variable = (isState ? buffer : parameter)(() => tf.tidy(value));
  Object.defineProperty(owner, field, fieldOf(variable));
  return variable;
}
