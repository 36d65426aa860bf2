import type { DataType, Tensor } from '@tensorflow/tfjs-core';
import { typeName } from '../../core/text.ts';
import { isAlive, isVariable } from '../../engine/variable.ts';
import { isModule, lookAt } from '../../nn/module/fields.ts';
import type { ParametrizationList } from '../chain/parametrizationList.ts';
import { endedChain } from '../chain/readErrors.ts';
import { registrationOf } from '../chain/registry.ts';
import { hostKindOf } from './objectHost.ts';

/** A tensor of a host that other tensors read, as it is at each moment: plain or parametrized. */
export class TensorSource {
  readonly host: object;
  readonly name: string;

  /** @param host - the object that holds the tensor itself */
  constructor(host: object, name: string) {
    this.host = host;
    this.name = name;
  }

  /** The name of the tensor in messages: `Embedding.weight`. */
  get label(): string {
    return `${typeName(this.host)}.${this.name}`;
  }

  /** The chain of the tensor; null while it has none. */
  get list(): ParametrizationList | null {
    return registrationOf(this.host, this.name)?.list ?? null;
  }

  get shape(): readonly number[] {
    return (this.list ?? this.plain()).shape;
  }

  get dtype(): DataType {
    return (this.list ?? this.plain()).dtype;
  }

  /** The value for a reader of the tensor. */
  read(): Tensor {
    const { list } = this;
    return list === null ? this.plain() : list.read();
  }

  /**
   * Returns the tensor in the field of the host, which is not parametrized: mostly a variable.
   *
   * @throws {@link ParametrizeError} `DISPOSED`; the errors of `HostKind.find` if the field holds no tensor
   */
  plain(): Tensor {
    const { host, name } = this;
    if (isModule(host)) lookAt(host);
    const kind = hostKindOf(host);
    const found = kind.plain === undefined ? Reflect.get(host, name) : kind.plain(host, name);
    if (!isTensorLike(found)) return kind.find(`reading ${this.label}`, host, name).variable;
    if (isVariable(found) && !isAlive(found)) throw endedChain(this.label, found.name);
    return found;
  }
}

const isTensorLike = (value: unknown): value is Tensor =>
  typeof value === 'object' && value !== null && 'dataId' in value;
