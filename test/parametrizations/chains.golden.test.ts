import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import {
  nn,
  type ParametrizationLike,
  registerParametrization,
  removeParametrizations,
  Skew,
  Symmetric,
} from '../../src/index.ts';
import golden from '../golden/chains.json' with { type: 'json' };
import { type GoldenTensor, tensorOf } from '../nn/golden.ts';
import { flatten } from '../toBeAllClose.ts';

// Chains of parametrizations against real PyTorch 1.13: values, keys, gradients, assignment and removal.

interface Case {
  readonly label: string;
  readonly param: string;
  readonly before: GoldenTensor;
  readonly keys: readonly string[];
  readonly state_dict: Readonly<Record<string, GoldenTensor>>;
  readonly value: GoldenTensor;
  readonly buffer_names: readonly string[];
  readonly grad_output?: GoldenTensor;
  readonly grads?: Readonly<Record<string, GoldenTensor>>;
  readonly assigned?: GoldenTensor;
  readonly after_assign?: { state_dict: Readonly<Record<string, GoldenTensor>>; value: GoldenTensor };
  readonly removed_leave_parametrized: { keys: readonly string[]; value: GoldenTensor };
}

const scale = (factor: number): ParametrizationLike => ({
  forward: (x) => tf.mul(x, factor),
  rightInverse: (x) => tf.div(x, factor),
});

/** `eᴬ` by its series, of a small matrix. */
function matrixExp(A: tf.Tensor): tf.Tensor {
  let sum: tf.Tensor = tf.eye(A.shape[0]!);
  let term = sum;
  for (let k = 1; k < 20; k++) {
    term = tf.div(tf.matMul(term as tf.Tensor2D, A as tf.Tensor2D), k);
    sum = tf.add(sum, term);
  }
  return sum;
}

/** The leading singular triple of a matrix as two vectors `√σ·u`, `√σ·v`, in float64. */
function leadingPair(value: tf.Tensor): [tf.Tensor, tf.Tensor] {
  const [m, n] = value.shape as [number, number];
  const M = flatten(value);
  let v = Array.from({ length: n }, (_, j) => 1 + j / 10);
  let u: number[] = [];
  for (let k = 0; k < 500; k++) {
    u = Array.from({ length: m }, (_, i) => v.reduce((sum, x, j) => sum + M[i * n + j]! * x, 0));
    const length = Math.hypot(...u);
    u = u.map((x) => x / length);
    v = Array.from({ length: n }, (_, j) => u.reduce((sum, x, i) => sum + M[i * n + j]! * x, 0));
  }
  const sigma = Math.hypot(...v);
  const root = Math.sqrt(sigma);
  return [tf.tensor1d(u.map((x) => x * root)), tf.tensor1d(v.map((x) => x / root))];
}

/** What each golden case registers, and on what. */
const setups: Record<string, { host: () => nn.Module; maps: () => ParametrizationLike[] }> = {
  Symmetric: { host: () => new nn.Linear(4, 4), maps: () => [new Symmetric()] },
  'Skew then MatExp = orthogonal': { host: () => new nn.Linear(4, 4), maps: () => [new Skew(), matrixExp] },
  'Symmetric then Scale(-0.5)': {
    host: () => new nn.Linear(4, 4),
    maps: () => [new Symmetric(), scale(-0.5)],
  },
  'tuple right_inverse MagDir (2 originals)': {
    host: () => new nn.Linear(4, 4),
    maps: () => [
      {
        forward: (magnitude: tf.Tensor, direction: tf.Tensor) =>
          tf.div(tf.mul(magnitude, direction), tf.sqrt(tf.sum(tf.square(direction), 1, true))),
        rightInverse: (x) => [tf.sqrt(tf.sum(tf.square(x), 1, true)), x],
      },
    ],
  },
  'RankOne tuple of vectors (sign of the pair is arbitrary; compare the value)': {
    host: () => new nn.Linear(3, 4, { bias: false }),
    maps: () => [
      {
        forward: (x: tf.Tensor, y: tf.Tensor) => tf.outerProduct(x as tf.Tensor1D, y as tf.Tensor1D),
        rightInverse: leadingPair,
      },
    ],
  },
  'bias parametrized': { host: () => new nn.Linear(4, 4), maps: () => [scale(3)] },
  'buffer with tuple': {
    host: () => new nn.BatchNorm1d(3),
    maps: () => [
      {
        forward: (a: tf.Tensor, b: tf.Tensor, c: tf.Tensor) => tf.add(a, tf.add(tf.mul(b, 2), tf.mul(c, 3))),
        rightInverse: (x) => [tf.div(x, 2), tf.div(x, 8), tf.div(x, 12)],
      },
    ],
  },
};

const cases = golden.cases as unknown as Case[];
const close = { relative: 1e-5, absolute: 1e-5 };

/** The state, but for a pair of vectors whose common sign is arbitrary. */
function expectState(
  module: nn.Module,
  wanted: Readonly<Record<string, GoldenTensor>>,
  anySign: boolean,
): void {
  const state = module.stateDict();
  for (const [key, value] of Object.entries(wanted)) {
    const of = (numbers: number[]) => (anySign ? numbers.map(Math.abs) : numbers);
    expect(of(flatten(state[key]!)), key).toBeAllClose(of(flatten(tensorData(value))), close);
  }
}

const tensorData = (value: GoldenTensor): number[] => flatten({ data: value.data });

describe('chains agree with torch', () => {
  it('in every golden case', () => {
    expect(cases.map(({ label }) => label)).toEqual(Object.keys(setups));
  });

  it.each(cases)('$label', (torch) => {
    const { host, maps } = setups[torch.label]!;
    const { param } = torch;
    const anySign = torch.label.startsWith('RankOne');
    const build = (): nn.Module => {
      const module = host();
      const fields = module as unknown as Record<string, tf.Variable>;
      tf.tidy(() => {
        for (const [key, value] of Object.entries(torch.state_dict)) {
          const plain = module.stateDict()[key] as tf.Variable | undefined;
          plain?.assign(tf.cast(tensorOf(value), plain.dtype));
        }
        fields[param]!.assign(tensorOf(torch.before));
      });
      for (const map of maps()) registerParametrization(module as object, param as string, map);
      return module;
    };
    const module = build();
    const fields = module as unknown as Record<string, tf.Tensor>;
    const read = () => tf.tidy(() => flatten(fields[param]!));
    expect(Object.keys(module.stateDict())).toEqual(torch.keys);
    expect(module.namedBuffers().map(([key]) => key)).toEqual(torch.buffer_names);
    expectState(module, torch.state_dict, anySign);
    expect(read()).toBeAllClose(tensorData(torch.value), close);

    if (torch.grads !== undefined) {
      tf.tidy(() => {
        const { grads } = tf.variableGrads(
          () => tf.sum(tf.mul(fields[param]!, tensorOf(torch.grad_output!))) as tf.Scalar,
          module.parametrizations![param]!.parameters(),
        );
        for (const [key, value] of Object.entries(torch.grads!)) {
          const gradient = flatten(grads[(module.stateDict()[key] as tf.Variable).name]!);
          const of = (numbers: number[]) => (anySign ? numbers.map(Math.abs) : numbers);
          expect(of(gradient), key).toBeAllClose(of(tensorData(value)), { relative: 1e-4, absolute: 1e-5 });
        }
      });
    }
    if (torch.assigned !== undefined) {
      const value = tensorOf(torch.assigned);
      fields[param] = value;
      value.dispose();
      expectState(module, torch.after_assign!.state_dict, anySign);
      expect(read()).toBeAllClose(tensorData(torch.after_assign!.value), close);
    }
    removeParametrizations(module, param);
    expect(fields[param]!).toBeAllClose(tensorData(torch.removed_leave_parametrized.value), close);
    // torch moves the tensor to the end; ours keeps its place.
    expect(Object.keys(module.stateDict()).sort()).toEqual([...torch.removed_leave_parametrized.keys].sort());
    module.dispose();

    const again = build();
    const single = again.parametrizations![param]!.original as tf.Variable | undefined;
    if (single !== undefined) {
      const original = flatten(single);
      removeParametrizations(again, param, { leaveParametrized: false });
      expect(flatten((again as unknown as Record<string, tf.Tensor>)[param]!)).toEqual(original);
    } else {
      expect(() => removeParametrizations(again, param, { leaveParametrized: false })).toThrow(
        'leaves exactly one',
      );
    }
    again.dispose();
  });
});
