import * as tf from '@tensorflow/tfjs-core';
import { isParametrized, nn, Parametrization, symmetric, weightNorm } from 'tfjs-parametrize';
import { parametrized, parametrizedModule } from 'tfjs-parametrize/decorators';

// The classes that every mode of decorators is tested with. Each compiler gets this file as text; where the class decorator
// is not what is tested, its lines are left out.

/** `2x`, a parametrization with a state of its own. */
export class Double extends Parametrization {
  factor: tf.Tensor = nn.parameter(() => tf.scalar(2));
  override forward(x: tf.Tensor): tf.Tensor {
    return tf.mul(x, this.factor);
  }
  override rightInverse(y: tf.Tensor): tf.Tensor {
    return tf.div(y, this.factor);
  }
}

/** `x + 1`, as an object. */
const addOne = () => ({
  forward: (x: tf.Tensor) => tf.add(x, 1),
  rightInverse: (y: tf.Tensor) => tf.sub(y, 1),
});

const matrix = () =>
  nn.parameter(() =>
    tf.tensor2d([
      [3, 4],
      [6, 8],
    ]),
  );

@parametrizedModule
export class Layer extends nn.Module {
  first: tf.Tensor = nn.parameter(() => tf.ones([1]));
  @parametrized(weightNorm, { dim: 0 }) weight: tf.Tensor = matrix();
  @parametrized(() => new Double()) @parametrized(addOne) stacked: tf.Tensor = matrix();
  seenByNextField = isParametrized(this, 'weight') && isParametrized(this, 'stacked');
  last: tf.Tensor = nn.parameter(() => tf.ones([1]));
  override forward(x: tf.Tensor): tf.Tensor {
    return tf.matMul(x as tf.Tensor2D, tf.add<tf.Tensor2D>(this.weight, this.stacked));
  }
}

@parametrizedModule
export class Sub extends Layer {
  @parametrized(symmetric) metric: tf.Tensor = matrix();
  seenByConstructor: boolean;
  constructor() {
    super();
    this.seenByConstructor = isParametrized(this, 'weight');
  }
}

/** Declares nothing of its own. */
export class Heir extends Sub {}

export class Outer extends nn.Module {
  layer = new Layer();
  override forward(x: tf.Tensor): tf.Tensor {
    return this.layer.call(x);
  }
}

@parametrizedModule
export class Parts extends nn.Module {
  @parametrized(weightNorm) linear = new nn.Linear(2, 2);
  @parametrized(weightNorm, { name: 'weight_hh_l0', dim: null }) rnn = new nn.RNN(2, 2);
  @parametrized(weightNorm) list = new nn.ModuleList([new nn.Linear(2, 2), new nn.Conv1d(1, 1, 1)]);
  @parametrized(() => new Double(), { name: 'bias' })
  @parametrized(weightNorm, { name: 'weight' })
  two = new nn.Linear(2, 2);
  override forward(x: tf.Tensor): tf.Tensor {
    return this.linear.call(x);
  }
}

/** Replaces a module of its parent, when asked to. */
export class Replacing extends Parts {
  replace(): void {
    this.linear.dispose();
    this.linear = new nn.Linear(2, 2);
  }
}

/** Makes its tensor in the constructor, from an argument; the other one may stay away. */
@parametrizedModule
export class Sized extends nn.Module {
  @parametrized(weightNorm) weight: tf.Tensor;
  @parametrized(addOne) bias: tf.Tensor | null = null;
  after: tf.Tensor = nn.parameter(() => tf.ones([1]));
  constructor(size: number, { bias = false } = {}) {
    super();
    this.weight = nn.parameter(() => tf.ones([size, size]));
    if (bias) this.bias = nn.parameter(() => tf.ones([size]));
  }
  override forward(x: tf.Tensor): tf.Tensor {
    return x;
  }
}

/** No module. */
@parametrizedModule
export class Plain {
  @parametrized(weightNorm, { dim: null }) kernel: tf.Tensor = matrix();
}

/** Other things that programs do, each of which makes its classes when it is called. */
export const mistakes = {
  decoratedInBoth(): void {
    @parametrizedModule
    class Again extends Layer {
      @parametrized(symmetric) override weight: tf.Tensor = matrix();
    }
    new Again();
  },
  redeclaredTensor(): nn.Module {
    class Redeclaring extends Layer {
      override weight: tf.Tensor = matrix();
    }
    return new Redeclaring();
  },
  redeclaredModule(): nn.Module {
    class Redeclaring extends Parts {
      override linear = new nn.Linear(2, 2);
    }
    return new Redeclaring();
  },
  method(): void {
    class Wrong {
      // @ts-expect-error a method
      @parametrized(weightNorm) weight(): void {}
    }
    void Wrong;
  },
  getter(): void {
    class Wrong {
      // @ts-expect-error a getter
      @parametrized(weightNorm) get weight(): tf.Tensor {
        return tf.zeros([]);
      }
    }
    void Wrong;
  },
  staticField(): void {
    class Wrong {
      // @ts-expect-error a static field under a name that no tensor has
      @parametrized(weightNorm) static weight = 3;
      bias = 0;
    }
    void Wrong;
  },
  wholeClass(): void {
    // @ts-expect-error a class
    @parametrized(weightNorm)
    class Wrong {}
    void Wrong;
  },
  symbolField(): void {
    const key = Symbol('weight');
    class Wrong {
      @parametrized(weightNorm) [key]: tf.Tensor | null = null;
    }
    void Wrong;
  },
  noTensor(): void {
    @parametrizedModule
    class Wrong {
      // @ts-expect-error a text
      @parametrized(weightNorm) weight = 'text';
    }
    new Wrong();
  },
  nameOnTensor(): void {
    const variable = matrix();
    @parametrizedModule
    class Wrong {
      // @ts-expect-error a name beside a tensor
      @parametrized(weightNorm, { name: 'weight' }) weight: tf.Tensor = variable;
    }
    try {
      new Wrong();
    } finally {
      variable.dispose();
    }
  },
  instance(): void {
    const shared = { forward: (x: tf.Tensor) => x };
    class Wrong {
      // @ts-expect-error an object that all would share
      @parametrized(shared) weight: tf.Tensor | null = null;
    }
    void Wrong;
  },
  notAFactory(): void {
    const variable = matrix();
    @parametrizedModule
    class Wrong {
      // @ts-expect-error a map, not what makes one
      @parametrized((x: tf.Tensor) => x) weight: tf.Tensor = variable;
    }
    try {
      new Wrong();
    } finally {
      variable.dispose();
    }
  },
  sameAgain(): void {
    const made = new Double();
    const variable = matrix();
    @parametrizedModule
    class Wrong {
      @parametrized(() => made) @parametrized(() => made) weight: tf.Tensor = variable;
    }
    let wrong: object | undefined;
    try {
      wrong = new Wrong();
    } finally {
      made.dispose();
      variable.dispose();
    }
    void wrong;
  },
};
