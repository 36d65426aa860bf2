import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { refusal } from '../../core/errors.ts';
import { scoped } from '../../engine/scope.ts';
import { isVariable } from '../../engine/variable.ts';
import { COPY, type Copier, type Copyable } from '../../nn/module/copy.ts';
import type { Module } from '../../nn/module/module.ts';
import { type TensorTie, TIE, tieOf } from '../../nn/module/normalizedTensor.ts';
import type { ChainStep } from '../chain/chainStep.ts';
import { declaredDependencies } from '../chain/dependencyKey.ts';
import { fixFields } from '../chain/fieldSet.ts';
import { hide } from '../chain/listProperties.ts';
import { ParametrizationList } from '../chain/parametrizationList.ts';
import { checkSpec, describeValue, isTensor } from '../chain/rightInverse.ts';
import { raiseVersion } from '../version.ts';
import { TensorSource } from './tensorSource.ts';

/** The parts of a {@link TiedList}. */
interface TieParts {
  /** The name of the tied tensor in messages. */
  readonly label: string;
  readonly source: TensorSource;
  readonly isTransposed: boolean;
  /** True if the variable of the tied tensor was trained; removal lets its new one train again. */
  readonly wasTrainable: boolean;
  readonly wasBuffer: boolean;
}

/**
 * The chain of a tied tensor: no originals, and one step that reads the tensor of another host. It has no entry of its
 * own unless it transposes.
 */
export class TiedList extends ParametrizationList {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'TiedList';

  /** @internal */
  declare source: TensorSource;
  declare private readonly isTransposed: boolean;
  declare private readonly wasBuffer: boolean;
  /** The chain or variable of the last read, whose change no version shows. */
  declare private last: object | null;

  /** @internal */
  constructor({ label, source, isTransposed, wasTrainable, wasBuffer }: TieParts) {
    const { shape, dtype } = source;
    const spec = { shape: isTransposed ? [...shape].reverse() : shape, dtype };
    super([], { label, originalNames: [], wasTrainable, steps: [], spec });
    hide(this, { source, isTransposed, wasBuffer, last: null });
    this.setSteps([stepOf(this)]);
  }

  /** @internal */
  get [TIE](): TensorTie {
    const { source, isTransposed, wasBuffer } = this;
    const { host, name } = source;
    return {
      host,
      name,
      isTransposed,
      wasBuffer,
      refusal: (caller) =>
        refusal(
          'TIED',
          caller,
          `${this.label} is tied to ${source.label}`,
          `Do it on ${source.label}: both read it. Or give this one its own variable first: removeParametrizations(host, name).`,
        ),
      variable: () => (isTransposed ? null : variableOf(source)),
    };
  }

  /** @internal The modules that the value depends on. Those of the source are not below the list. */
  override modules(): Module[] {
    return [...super.modules(), ...(this.source.list?.modules() ?? [])];
  }

  /** @internal */
  override read(): Tensor {
    const { source } = this;
    if (!this.isTransposed) {
      this.cache.reads++;
      return source.read();
    }
    const now = source.list ?? source.plain();
    if (this.last !== null && this.last !== now) raiseVersion(this);
    this.last = now;
    return super.read();
  }

  /** @internal The value of the step. */
  valueOfSource(): Tensor {
    const value = this.source.read();
    return this.isTransposed ? tf.transpose(value) : value;
  }

  /** @internal Writes to the source. */
  override assign(value: unknown): void {
    const caller = `assigning ${this.label}`;
    if (!isTensor(value)) {
      throw refusal('NOT_A_VARIABLE', caller, `expected a tensor, got ${describeValue(value)}`);
    }
    checkSpec(caller, 'the value', value, this, 'Assign a tensor like the current value.');
    const { source } = this;
    scoped(caller, () => {
      const own = this.isTransposed ? tf.transpose(value) : value;
      if (source.list === null) (source.plain() as Variable).assign(own);
      else source.list.assign(own);
    });
  }

  /** Returns the text between the parentheses of the printed list. */
  override extraRepr(): string {
    return `tied to ${this.source.label}${this.isTransposed ? ', transposed' : ''}`;
  }

  /** @internal The copy reads the copy of the source if the whole copy has one, else the source. */
  override [COPY](copier: Copier): object {
    const copy = super[COPY](copier) as TiedList;
    const { host, name } = this.source;
    hide(copy, { last: null });
    copy.setSteps([stepOf(copy)]);
    copier.whenDone(() => {
      copy.source = new TensorSource(copier.copyOf(host) ?? host, name);
    });
    return copy;
  }
}

fixFields(TiedList);

function variableOf(source: TensorSource): Variable | null {
  const { list } = source;
  if (list !== null) return tieOf(list)?.variable() ?? null;
  const plain: Tensor = source.plain();
  return isVariable(plain) ? plain : null;
}

function stepOf(list: TiedList): ChainStep {
  const registered = {
    forward: () => list.valueOfSource(),
    isPure: () => list.source.list?.isPure() ?? true,
  };
  const step: Omit<ChainStep, typeof COPY> & Copyable = {
    registered,
    module: null,
    get dependencies(): readonly Variable[] {
      const { list: chain } = list.source;
      if (chain !== null) return declaredDependencies(chain);
      const plain: Tensor = list.source.plain();
      return isVariable(plain) ? [plain] : [];
    },
    inherited: [],
    arity: 0,
    originalNames: [],
    trainable: [],
    ...registered,
    rightInverse: null,
    // The copied list makes its own.
    [COPY]() {
      return step;
    },
  };
  return step;
}
