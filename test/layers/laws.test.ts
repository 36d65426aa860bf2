import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { parametrizationsOn } from 'tfjs-parametrize';
import { describe, expect, it } from 'vitest';
import 'tfjs-parametrize/layers';
import { registerHostKind } from '../../src/parametrize/host/hostKind.ts';
import { type Op, op, Run } from '../parametrize/laws/run.ts';
import { affine, Net, optimizers, specimens } from '../parametrize/laws/specimens.ts';

/** A linear layer in torch's layout, so that it can run the programs of the laws. Without an input it gives its weight. */
class Affine extends tf.layers.Layer {
  static className = 'Affine';
  kernel!: tf.LayerVariable;
  offset!: tf.LayerVariable;

  override build(): void {
    this.kernel = this.addWeight('kernel', [3, 2], 'float32', tf.initializers.zeros());
    this.offset = this.addWeight('offset', [3], 'float32', tf.initializers.zeros());
    super.build([null, 2]);
  }

  override call(inputs: tf.Tensor | tf.Tensor[], _kwargs: { training?: boolean } = {}): tf.Tensor {
    const [x] = [inputs].flat();
    return x === undefined ? this.kernel.read() : affine(x, this.kernel.read(), this.offset.read());
  }
}

/** The layer as the programs see it: a module with a weight, a bias and a mode. */
class LayerNet {
  readonly layer = new Affine({});
  training = true;

  constructor() {
    this.layer.build();
    const net = new Net();
    this.layer.setWeights([net.weight, net.bias]);
    net.dispose();
  }

  get weight(): tf.Tensor {
    return this.layer.call([], { training: this.training });
  }

  set weight(value: tf.Tensor) {
    this.layer.kernel.write(value);
  }

  get bias(): tf.Tensor {
    return this.layer.offset.read();
  }

  get parametrizations(): Record<string, unknown> | undefined {
    if (this.layer.weights.length === 2 && this.layer.weights[0] === this.layer.kernel) return undefined;
    return { weight: parametrizationsOn(this.layer, 'kernel') };
  }

  train(training: boolean): void {
    this.training = training;
  }

  parameters(): tf.Variable[] {
    return this.layer.trainableWeights.map((weight) => weight.read() as tf.Variable);
  }

  dispose(): void {
    for (const weight of this.layer.weights) weight.dispose();
  }
}

const unused = (): never => {
  throw new Error('the tensors are those of the layer');
};
registerHostKind({
  accepts: (host) => host instanceof LayerNet,
  locate: (host, name) => [(host as LayerNet).layer, name === 'weight' ? 'kernel' : name],
  tensors: () => [],
  mainTensor: () => 'weight',
  find: unused,
  add: unused,
  check: () => {},
});

/** A program on a layer: outside of its calls, its parametrizations are in eval mode. */
class LayerRun extends Run {
  override execute(instruction: Op): void {
    const { twin } = this;
    const { training } = twin;
    const isOutside = ['register', 'assign', 'badAssign', 'remove'].includes(instruction.do);
    if (isOutside) twin.setTraining(false);
    super.execute(instruction);
    if (isOutside) twin.setTraining(training);
  }
}

describe('a random program on a parametrized layer', () => {
  for (const [i, optimizer] of Object.keys(optimizers).entries()) {
    it(`has the values and gradients of its uncached twin, and leaks nothing, with ${optimizer}`, () => {
      fc.assert(
        fc.property(
          fc.constantFrom(...Object.keys(specimens)),
          // Layers cannot be cloned.
          fc.array(
            op.filter((instruction) => instruction.do !== 'clone'),
            { maxLength: 24 },
          ),
          (first, program) => {
            const before = tf.memory().numTensors;
            const run = new LayerRun(optimizer, new LayerNet() as unknown as Net);
            try {
              run.execute({ do: 'register', specimen: first });
              for (const instruction of program) run.execute(instruction);
            } finally {
              run.end();
            }
            expect(tf.memory().numTensors, 'tensors that are left').toBe(before);
          },
        ),
        { seed: Number(process.env['FC_SEED'] ?? 42) + i },
      );
    });
  }
});
