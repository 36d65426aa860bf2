import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { warnOnce } from '../../core/warnOnce.ts';
import { ParameterDict } from '../../nn/containers/parameterDict.ts';
import { zeroAtRandom } from '../../nn/dropout.ts';
import { normalNumbers, uniformWithin } from '../../nn/init/random.ts';
import { parameter } from '../../nn/module/parameter.ts';
import { type AdapterOptions, type CompleteSettings, scalingOf } from './adapterOptions.ts';
import { Adapters } from './adapters.ts';
import { FactorLayout } from './factorLayout.ts';

/** The base of maps whose adapters are changes of low rank, each with its own factors A and B. */
export abstract class LowRankAdapters extends Adapters {
  /** The factors A by the names of the adapters. */
  readonly lora_A: ParameterDict = new ParameterDict();
  /** The factors B by the names of the adapters. */
  readonly lora_B: ParameterDict = new ParameterDict();
  /** @internal The shapes of the factors. */
  readonly layout: FactorLayout;

  /** @param weight - the tensor to parametrize; only its shape is used */
  constructor(weight: Tensor, options: AdapterOptions) {
    super();
    const { dim = 0, rankAxis = 'first' } = this.checkedOptions(options);
    this.layout = new FactorLayout(this.caller, weight.shape, dim, rankAxis);
  }

  /** @internal The dictionaries with one variable for each adapter. */
  override dictionaries(): Readonly<Record<string, ParameterDict>> {
    const { lora_A, lora_B } = this;
    return { lora_A, lora_B };
  }

  /** @internal Returns the options that make the map again. */
  override config(): AdapterOptions {
    const { dim, rankAxis } = this.layout;
    const { adapters, active, ...first } = super.config();
    return { ...first, dim, rankAxis, adapters: adapters!, active: active! };
  }

  protected override addVariables(_weight: Tensor, settings: CompleteSettings): void {
    const { adapter: name, rank, initial } = settings;
    const { layout } = this;
    const { features, columns } = layout;
    if (rank >= Math.min(features, columns)) {
      warnOnce(
        `rank of ${this.caller}`,
        `${this.caller} got the rank ${rank} for a matrix of ${features} × ${columns}: it has as many parameters as the matrix, or more`,
      );
    }
    const isEmbedding = initial === 'embedding';
    this.lora_A.set(
      name,
      parameter(() => {
        const shape = layout.shapeOfA(rank);
        if (isEmbedding) return tf.zeros(shape);
        return initial === 'kaiming'
          ? uniformWithin(shape, 1 / Math.sqrt(columns))
          : normalNumbers(shape, 1 / rank);
      }),
    );
    this.lora_B.set(
      name,
      parameter(() => (isEmbedding ? normalNumbers(layout.shapeOfB(rank)) : tf.zeros(layout.shapeOfB(rank)))),
    );
  }

  protected override checkShape(value: Tensor): void {
    this.layout.check(this.caller, value);
  }

  protected override change(settings: CompleteSettings, weight: number, dropping: boolean): Tensor {
    const { layout } = this;
    const { adapter, rank, dropout } = settings;
    const A = this.lora_A.get(adapter)!;
    const B = tf.mul(this.lora_B.get(adapter)!, weight * scalingOf(settings));
    const given = dropping && dropout > 0 ? zeroAtRandom(A, dropout, layout.shapeOfMask(rank)) : A;
    return layout.product(given, B, rank);
  }
}
