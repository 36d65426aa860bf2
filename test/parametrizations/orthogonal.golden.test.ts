import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { type ErrorCode, ParametrizeError } from '../../src/core/errors.ts';
import * as nn from '../../src/nn/index.ts';
import { householderProduct } from '../../src/ops/matrix/householderProduct.ts';
import { matrixExp } from '../../src/ops/matrix/matrixExp.ts';
import { type OrthogonalOptions, orthogonal } from '../../src/parametrizations/index.ts';
import { parametrizationsOn } from '../../src/parametrize/index.ts';
import golden from '../golden/orthogonal.json' with { type: 'json' };
import { type GoldenTensor, tensorOf } from '../nn/golden.ts';
import { inTidy } from '../parametrize/fixtures.ts';
import { flatten } from '../toBeAllClose.ts';
import { centralDifferences } from './float64.ts';
import { definition, type MapName, rowsOf } from './orthogonalDefinition.ts';

/** An assignment, or the error that it is in torch. */
type Assigned = Readonly<Record<'value' | 'original' | 'weight', GoldenTensor>> & {
  readonly base: GoldenTensor | null;
  readonly error?: readonly string[];
};

interface Case {
  readonly map: string;
  readonly use_trivialization: boolean;
  readonly shape: readonly [number, number];
  readonly weight_before: GoldenTensor;
  readonly keys: readonly string[];
  readonly original0: GoldenTensor;
  readonly base0: GoldenTensor | null;
  readonly weight0: GoldenTensor;
  readonly original1: GoldenTensor;
  readonly weight1: GoldenTensor;
  readonly grad_output: GoldenTensor;
  readonly d_original1: GoldenTensor;
  readonly valid_original?: Readonly<
    Record<'original' | 'weight' | 'grad_output' | 'd_original', GoldenTensor>
  >;
  readonly assign_orthogonal: Assigned;
  readonly assign_non_orthogonal: Assigned;
}

class Matrix extends nn.Module {
  weight: tf.Tensor;

  constructor(weight: GoldenTensor) {
    super();
    this.weight = nn.parameter(() => tensorOf(weight));
  }

  override forward(): tf.Tensor {
    return this.weight;
  }
}

const cases = golden.cases as unknown as Case[];
const nameOf = (map: string): MapName => (map === 'matrix_exp' ? 'matrixExp' : (map as MapName));
const label = (run: Case): string =>
  `${run.map} [${run.shape}]${run.use_trivialization ? '' : ' without trivialization'}`;

/**
 * Where torch multiplies the columns by a diagonal that it rounds towards zero, and what the wanted numbers are the
 * definition with the signs for.
 */
const roundedDiagonals = [
  'householder [4,4]',
  'householder [6,3]',
  'householder [5,1]',
  'householder [5,5] without trivialization',
  'householder [3,6] without trivialization',
  'householder [1,4] without trivialization',
];

const optionsOf = (run: Case): OrthogonalOptions => ({
  orthogonalMap: nameOf(run.map),
  useTrivialization: run.use_trivialization,
});

/** Runs on the host of a case, and disposes it. */
function withHost(run: Case, fn: (host: Matrix, original: tf.Variable, base?: tf.Variable) => void): void {
  const host = orthogonal(new Matrix(run.weight_before), 'weight', optionsOf(run));
  const state = host.stateDict() as Record<string, tf.Variable>;
  tf.tidy(() => {
    fn(host, state['parametrizations.weight.original']!, state['parametrizations.weight.0.base']);
  });
  host.dispose();
}

/** The columns of base that the value determines; torch has drawn the others at random too. */
const determined = (base: tf.Tensor, [m, n]: readonly [number, number]): tf.Tensor =>
  tf.slice(base, [0, 0], [Math.max(m, n), Math.min(m, n)]);

const gradientOf = (host: Matrix, original: tf.Variable, dy: tf.Tensor): tf.Tensor =>
  tf.variableGrads(() => tf.sum(tf.mul(host.weight, dy)), [original]).grads[original.name]!;

const close = { relative: 1e-5, absolute: 3e-6 };

describe('orthogonal, as torch', () => {
  it.each(cases.map((run) => [label(run), run] as const))('%s: keys and value at registration', (_, run) => {
    withHost(run, (host, original, base) => {
      expect(Object.keys(host.stateDict())).toEqual(run.keys);
      expect(original).toBeAllClose(run.original0, { absolute: 1e-5 });
      if (run.base0 !== null) {
        expect(determined(base!, run.shape)).toBeAllClose(determined(tensorOf(run.base0), run.shape), close);
      }
      expect(host.weight).toBeAllClose(run.weight0, close);
    });
  });

  it.each(cases.map((run) => [label(run), run] as const))('%s: value and gradient', (name, run) => {
    withHost(run, (host, original, base) => {
      original.assign(tensorOf(run.original1));
      base?.assign(tensorOf(run.base0!));
      let [weight, gradient] = [flatten(run.weight1), flatten(run.d_original1)];
      if (roundedDiagonals.includes(name)) ({ weight, gradient } = withSigns(run));
      expect(flatten(host.weight)).toBeAllClose(weight, close);
      const found = gradientOf(host, original, tensorOf(run.grad_output));
      expect(flatten(found)).toBeAllClose(gradient, { relative: 1e-5, absolute: 1e-5 });
    });
  });

  it.each(cases.flatMap((run) => (run.valid_original ? [[label(run), run] as const] : [])))(
    '%s: value and gradient of an original with signs for a diagonal',
    (_, run) => {
      const valid = run.valid_original!;
      withHost(run, (host, original) => {
        original.assign(tensorOf(valid.original));
        expect(host.weight).toBeAllClose(valid.weight, close);
        const found = gradientOf(host, original, tensorOf(valid.grad_output));
        expect(found).toBeAllClose(valid.d_original, { relative: 1e-5, absolute: 1e-5 });
      });
    },
  );

  it.each(
    cases.flatMap((run) => [
      [label(run), 'an orthogonal value', run, run.assign_orthogonal] as const,
      [label(run), 'any other value', run, run.assign_non_orthogonal] as const,
    ]),
  )('%s: assignment of %s (torch#82, torch#83)', (_, __, run, wanted) => {
    withHost(run, (host, original, base) => {
      const before = flatten(original);
      if (wanted.error !== undefined) {
        expect(codeOf(() => (host.weight = tensorOf(wanted.value)))).toBe('RIGHT_INVERSE');
        expect(flatten(original)).toEqual(before);
        return;
      }
      host.weight = tensorOf(wanted.value);
      expect(original).toBeAllClose(wanted.original, { absolute: 1e-5 });
      if (wanted.base !== null) {
        const found = determined(base!, run.shape);
        expect(found).toBeAllClose(determined(tensorOf(wanted.base), run.shape), close);
      }
      expect(host.weight).toBeAllClose(wanted.weight, close);
    });
  });

  it.each(golden.accuracy as unknown as AccuracyCase[])(
    '$map of $n × $n is as close to float64 as torch in float32, but for a factor of 4',
    (run) => {
      const host = orthogonal(new Matrix(run.original), 'weight', {
        orthogonalMap: nameOf(run.map),
        useTrivialization: false,
      });
      const wanted = flatten(run.weight_f64);
      const off = (found: number[]): number => Math.max(...found.map((x, i) => Math.abs(x - wanted[i]!)));
      tf.tidy(() => {
        expect(off(flatten(host.weight))).toBeLessThanOrEqual(4 * off(flatten(run.weight_f32)));
      });
      host.dispose();
    },
  );
});

interface AccuracyCase extends Readonly<Record<'original' | 'weight_f32' | 'weight_f64', GoldenTensor>> {
  readonly map: string;
  readonly n: number;
}

/** Value and gradient with the signs of the diagonal in float64. */
function withSigns(run: Case): { weight: number[]; gradient: number[] } {
  const [m, n] = run.shape;
  const dy = flatten(run.grad_output);
  const base = run.base0 && rowsOf(flatten(run.base0), Math.max(m, n));
  const valueOf = (X: readonly number[]): number[] => {
    const Q = definition('householder', rowsOf(X, n));
    if (base === null) return Q.flat();
    // Every case with a base is square or tall.
    return base.flatMap((row) => Q[0]!.map((_, j) => row.reduce((sum, x, i) => sum + x * Q[i]![j]!, 0)));
  };
  const X = flatten(run.original1);
  const loss = (x: readonly number[]): number =>
    valueOf(x).reduce((sum, value, i) => sum + value * dy[i]!, 0);
  return { weight: valueOf(X), gradient: centralDifferences(loss, X) };
}

describe('the pieces of it, as torch', () => {
  it.each(golden.matrix_exp as unknown as Readonly<Record<'A' | 'exp_f64', GoldenTensor>>[])(
    'matrixExp of $A.shape',
    ({ A, exp_f64 }) => {
      tf.tidy(() => {
        const found = matrixExp(tf.expandDims(tensorOf(A), 0));
        expect(flatten(found)).toBeAllClose(flatten(exp_f64), { relative: 2e-6, absolute: 2e-6 });
      });
    },
  );

  // torch's takes any tau; here they are those that make the factors reflections.
  it.each(golden.householder as unknown as Readonly<Record<'A' | 'tau' | 'Q', GoldenTensor>>[])(
    'householderProduct of $A.shape has the reflections of the definition for its factors',
    ({ A }) => {
      tf.tidy(() => {
        const X = rowsOf(flatten(A), A.shape[1]!);
        const found = householderProduct(tf.expandDims(tensorOf(A), 0));
        const wanted = definition('householder', X).flat();
        expect(flatten(found)).toBeAllClose(wanted, { relative: 1e-5, absolute: 2e-6 });
      });
    },
  );

  it.each([
    [[3, 3], 'matrixExp'],
    [[4, 2], 'householder'],
    [[2, 4], 'householder'],
  ] as const)('the map of [%s] is %s by default', (shape, map) => {
    const wanted = golden.defaults.find((run) => String(run.shape) === String(shape));
    expect(nameOf(wanted!.default_map!)).toBe(map);
    const host = orthogonal({ weight: nn.parameter(() => tf.ones([...shape])) as tf.Tensor }, 'weight');
    const list = parametrizationsOn(host, 'weight');
    expect(String(list[0])).toBe(`Orthogonal(orthogonalMap=${map})`);
    list.dispose();
  });

  it('takes the weight of a convolution for a batch of matrices', () => {
    const run = golden.defaults[3] as unknown as {
      conv2d_batched_weight_before: GoldenTensor;
      weight: GoldenTensor;
      keys: string[];
    };
    const conv = new nn.Conv2d(2, 4, 3);
    tf.tidy(() => (conv.weight as tf.Variable).assign(tensorOf(run.conv2d_batched_weight_before)));
    orthogonal(conv);
    expect(Object.keys(conv.stateDict()).sort()).toEqual([...run.keys].sort());
    inTidy(() => expect(conv.weight).toBeAllClose(run.weight, close));
    conv.dispose();
  });

  it.each([
    ['bad_map', 'OPTION', [3, 3], 'weight', { orthogonalMap: 'svd' }],
    ['1d', 'SHAPE', [3], 'weight', {}],
    ['missing', 'UNKNOWN_TENSOR', [3, 3], 'nope', {}],
  ] as const)('refuses %s, with the code %s (torch#86)', (name, code, shape, tensor, options) => {
    expect(golden.errors.map((error) => error.label)).toContain(name);
    const host = { weight: nn.parameter(() => tf.ones([...shape])) as tf.Tensor };
    expect(codeOf(() => orthogonal<object>(host, tensor as never, options as never))).toBe(code);
    expect(Object.keys(host)).toEqual(['weight']);
    host.weight.dispose();
  });
});

function codeOf(fn: () => unknown): ErrorCode | undefined {
  try {
    fn();
  } catch (error) {
    if (error instanceof ParametrizeError) return error.code;
    throw error;
  }
  return undefined;
}
