import type * as tf from '@tensorflow/tfjs-core';
import { nn, spectralNorm, symmetric, unitNorm, weightNorm } from 'tfjs-parametrize';
import { parametrized, parametrizedModule } from 'tfjs-parametrize/decorators';

// Classes that declare rules, for every mode of decorators.

const wideRules: { type: string; apply: string; options: { axis: number } }[] = [
  { type: 'Linear', apply: 'unitNorm', options: { axis: 1 } },
];

@parametrizedModule({
  rules: [
    { match: 'pre', apply: null },
    { type: nn.ConvTranspose1d, apply: weightNorm, options: { dim: 1 } },
    { type: nn.Conv1d, exclude: /^post$/, apply: weightNorm, options: { dim: 0 } },
  ],
})
export class Vocoder extends nn.Module {
  pre = new nn.Conv1d(2, 2, 1);
  up = new nn.ConvTranspose1d(2, 2, 2);
  @parametrized(symmetric) mix = new nn.Linear(2, 2);
  blocks = new nn.ModuleList([new nn.Conv1d(2, 2, 1), new nn.Conv1d(2, 2, 1)]);
  post = new nn.Conv1d(2, 1, 1);
  override forward(x: tf.Tensor): tf.Tensor {
    return this.post.call(this.up.call(this.pre.call(x)));
  }
}

/** Has the rules, and more modules that they match. */
@parametrizedModule({ rules: wideRules, catalog: { unitNorm } })
export class Wide extends Vocoder {
  more = new nn.Conv1d(2, 2, 1);
  head = new nn.Linear(2, 2);
}
// The class has its own copy.
wideRules.length = 0;

/** Is not decorated: the rules do not see its modules. */
export class Undecorated extends Vocoder {
  more = new nn.Conv1d(2, 2, 1);
}

/** Is decorated without rules of its own. */
@parametrizedModule({ rules: [] })
export class Decorated extends Vocoder {
  more = new nn.Conv1d(2, 2, 1);
}

/** Makes no tensors of its own, so that its rule matches nothing before a subclass has made some. */
@parametrizedModule({ rules: [{ match: 'layers.*', apply: spectralNorm }] })
export abstract class Stack extends nn.Module {
  abstract layers: nn.ModuleList<nn.Linear>;
  override forward(x: tf.Tensor): tf.Tensor {
    return [...this.layers].reduce((value, layer) => layer.call(value), x);
  }
}

@parametrizedModule({ rules: [] })
export class Pair extends Stack {
  override layers = new nn.ModuleList([new nn.Linear(2, 2), new nn.Linear(2, 2)]);
}

/** Holds objects whose classes have rules. */
@parametrizedModule({ rules: [{ type: [nn.Linear, nn.Conv1d], exclude: '**.mix', apply: weightNorm }] })
export class Outer extends nn.Module {
  inner = new Vocoder();
  head = new nn.Linear(2, 1);
  override forward(x: tf.Tensor): tf.Tensor {
    return this.inner.call(x);
  }
}

/** A class whose rule matches nothing. */
@parametrizedModule({ rules: [{ match: 'hidden.*', apply: weightNorm }] })
export class Unmatched extends nn.Module {
  layer: nn.Linear;
  constructor(layer: nn.Linear) {
    super();
    this.layer = layer;
  }
  override forward(x: tf.Tensor): tf.Tensor {
    return this.layer.call(x);
  }
}
