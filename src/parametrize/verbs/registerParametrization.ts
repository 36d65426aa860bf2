import type { Tensor } from '@tensorflow/tfjs-core';
import type { ParameterDict } from '../../nn/containers/parameterDict.ts';
import type { Module } from '../../nn/module/module.ts';
import { definitionOf } from '../definition.ts';
import { atSite } from '../host/site.ts';
import type { ParametrizationLike } from '../parametrization.ts';
import { checkRegistrationRoom } from './checkRegistrationRoom.ts';
import { type RegisterOptions, register } from './register.ts';

/**
 * The kinds of host of other entry points, with their tensor names. `tfjs-parametrize/layers` adds its kinds by
 * declaration merging.
 */
// biome-ignore lint/suspicious/noEmptyInterface: open for declaration merging
export interface HostTypes {}

/** The names of the tensors that the type of a host lists: `'weight' | 'bias'`. */
export type TensorNameOf<H> =
  | { [K in keyof H & string]-?: NonNullable<H[K]> extends Tensor ? K : never }[keyof H & string]
  | { [K in keyof HostTypes]: NameOf<HostTypes[K], H> }[keyof HostTypes];

/** The names of the tensors of H, as one kind of host has them. */
type NameOf<Kind, H> = Kind extends {
  /** The type of the host. */
  host: infer T;
  /** The names of its tensors. */
  name: infer N;
}
  ? H extends T
    ? Kind extends {
        /** True if types that extend `host` tell their names themselves. */
        exactly: true;
      }
      ? T extends H
        ? N
        : never
      : N
    : never
  : Kind extends {
        /** The type of the host. */
        host: infer T;
        /** The type of the fields whose names are those of its tensors. */
        field: infer F;
      }
    ? H extends T
      ? { [K in keyof H & string]-?: NonNullable<H[K]> extends F ? K : never }[keyof H & string]
      : never
    : never;

/**
 * K, if a host may have a tensor of that name although its type does not tell: a base class, a dictionary, a computed
 * name, an index. Else the names that the type of the host tells.
 */
export type PossibleTensorName<H, K extends string> = [PossibleHost<H, K>] extends [never]
  ? TensorNameOf<H>
  : K;

/** H, if it may have a tensor of the name K although its type does not tell; else never. */
export type PossibleHost<H, K extends string> = Module extends H
  ? H
  : string extends K
    ? H
    : string extends keyof H
      ? H
      : H extends ParameterDict
        ? H
        : [Indexed<H, K>] extends [never]
          ? never
          : Indexed<H, K> extends Tensor | null | undefined
            ? H
            : never;

/** The type that an index signature gives for a name: `'0'` of a list, `'weight_hh_l1'` of a recurrent network. */
type Indexed<H, K extends string> = K extends keyof H
  ? H[K]
  : K extends `${infer N extends number}`
    ? N extends keyof H
      ? H[N]
      : never
    : never;

/**
 * Registers a parametrization on a tensor of a module or object. From then on, `host[name]` is computed from
 * *originals*, which are trained instead.
 *
 * `host[name] = p_n(… p_1(originals))`. On a parametrized tensor, the new parametrization is applied last.
 *
 * @remarks
 * **Shape**: kept, unless `unsafe`.
 * **State**: `parametrizations.<name>.original`, or `original0`, `original1`, … if `rightInverse` gives an array; the
 * last original with the shape and dtype of the tensor is the host's own variable, so optimizers keep training it.
 * **Gradient**: through the map, to the originals.
 * **Ownership**: a read of `host[name]` outside of every tidy gives a borrowed tensor if the chain is pure; do not
 * dispose it, it is replaced after a change. Otherwise the tensor belongs to the caller.
 *
 * @param host - a module, or any object with a `tf.Variable` in a property
 * @param name - the property
 * @param parametrization - a {@link Parametrization}, a function, or an object with `forward`
 * @returns the host
 * @throws {@link ParametrizeError} `UNKNOWN_TENSOR`, `NOT_A_VARIABLE`, `INVALID_NAME`, `INVALID_PARAMETRIZATION`,
 * `FORWARD_RESULT`, `SHAPE`, `DTYPE`, `RIGHT_INVERSE`, `HIDDEN_DEPENDENCY`, `CYCLE`, `TIED`, `SHARED`,
 * `IMMUTABLE_HOST`, `UNSUPPORTED_HOST`, `DISPOSED`, `OPTION`, `NO_BACKEND`, `TWO_COPIES`, `OUT_OF_MEMORY`; and the
 * errors of the parametrization. Nothing changes then.
 * @example
 * ```ts
 * registerParametrization(layer, 'weight', new Symmetric());
 * layer.weight;                                  // symmetric
 * parametrizationsOn(layer, 'weight').original;  // the trained variable
 * ```
 * @see torch.nn.utils.parametrize.register_parametrization
 */
export function registerParametrization<H extends object>(
  host: H,
  name: TensorNameOf<H>,
  parametrization: ParametrizationLike,
  options?: RegisterOptions,
): H;
export function registerParametrization<H extends { [N in K]: Tensor | null | undefined }, K extends string>(
  host: H,
  name: K,
  parametrization: ParametrizationLike,
  options?: RegisterOptions,
): H;
export function registerParametrization<H extends object, K extends string>(
  host: H,
  name: PossibleTensorName<H, K>,
  parametrization: ParametrizationLike,
  options?: RegisterOptions,
): H;
export function registerParametrization(
  host: object,
  name: string,
  parametrization: ParametrizationLike,
  options: RegisterOptions = {},
): object {
  const caller = 'registerParametrization';
  atSite(caller, host, name, (site) => {
    checkRegistrationRoom(caller, site, definitionOf(parametrization));
    register(caller, site, parametrization, options);
  });
  return host;
}
