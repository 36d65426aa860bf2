import { refusal } from '../../core/errors.ts';
import { Module } from '../../nn/module/module.ts';
import { HOLDS_COMPUTATIONS } from '../../nn/module/normalizedTensor.ts';
import { fixFields } from './fieldSet.ts';
import type { ParametrizationList } from './parametrizationList.ts';

/**
 * `host.parametrizations`: the chains registered on a host, by tensor name.
 *
 * @remarks
 * **State**: each {@link ParametrizationList} under the name of its tensor.
 */
export class ParametrizationDict extends Module {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'ParametrizationDict';

  /** The list of the tensor of that name. */
  readonly [name: string]: ParametrizationList | unknown;

  /** @internal */
  get [HOLDS_COMPUTATIONS](): true {
    return true;
  }

  /** Throws, because it is not a layer. */
  override forward(): never {
    throw refusal('NOT_A_FUNCTION', 'parametrizations', 'holds chains and computes nothing itself');
  }
}

fixFields(ParametrizationDict);

declare module '../../nn/module/module.ts' {
  interface Parametrizations {
    /** The list of the tensor of that name. */
    readonly [name: string]: ParametrizationList;
  }
}
