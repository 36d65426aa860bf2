import * as tf from '@tensorflow/tfjs';

/** Arguments of {@link Prototypes}. */
export interface PrototypesArgs {
  readonly inputShape: tf.Shape;
  readonly units: number;
  readonly constraint: ReturnType<typeof tf.constraints.unitNorm>;
}

/** A layer of one's own: the products of the input with some directions. */
export class Prototypes extends tf.layers.Layer {
  static className = 'Prototypes';
  centers!: tf.LayerVariable;
  private readonly units: number;
  private readonly constraint: PrototypesArgs['constraint'];

  constructor({ inputShape, units, constraint }: PrototypesArgs) {
    super({ inputShape });
    this.units = units;
    this.constraint = constraint;
  }

  override build(inputShape: tf.Shape): void {
    this.centers = this.addWeight(
      'centers',
      [inputShape.at(-1)!, this.units],
      'float32',
      tf.initializers.glorotNormal({ seed: 4 }),
      undefined,
      true,
      this.constraint,
    );
    super.build(inputShape);
  }

  override computeOutputShape(inputShape: tf.Shape): tf.Shape {
    return [inputShape[0]!, this.units];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const x = Array.isArray(inputs) ? inputs[0]! : inputs;
      return tf.matMul(x as tf.Tensor2D, this.centers.read() as tf.Tensor2D);
    });
  }
}
