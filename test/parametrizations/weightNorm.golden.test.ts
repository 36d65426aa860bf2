import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import * as nn from '../../src/nn/index.ts';
import { WeightNorm, weightNorm } from '../../src/parametrizations/index.ts';
import {
  parametrizationsOn,
  registerParametrization,
  removeParametrizations,
} from '../../src/parametrize/index.ts';
import golden from '../golden/weight_norm.json' with { type: 'json' };
import { type GoldenTensor, type LayerCase, tensorOf } from '../nn/golden.ts';
import { inTidy } from '../parametrize/fixtures.ts';
import { flatten } from '../toBeAllClose.ts';
import { keyOf } from '../torch/trajectory.ts';

/** A layer case with its registration and removal. */
interface WeightNormCase extends LayerCase {
  readonly weight_before: GoldenTensor;
  readonly g_init: GoldenTensor;
  readonly v_init: GoldenTensor;
  readonly g: GoldenTensor;
  readonly v: GoldenTensor;
  readonly dg: GoldenTensor;
  readonly dv: GoldenTensor;
  readonly state_dict_keys: readonly string[];
  readonly after_remove: GoldenTensor;
  readonly keys_after_remove: readonly string[];
}

const cases = golden.cases as unknown as WeightNormCase[];

/** In torch both null and -1 are one norm of the whole tensor; here -1 is the last axis. */
const dimOf = (dim: number | null): number | null => (dim === -1 ? null : dim);

/** The golden cases do not say how their layers were made; their shapes and numbers do. */
const layers: Record<string, () => nn.Module> = {
  Linear: () => new nn.Linear(5, 4),
  Linear_bias_1d: () => new nn.Linear(5, 4),
  Conv1d: () => new nn.Conv1d(3, 4, 3, { padding: 1 }),
  Conv2d: () => new nn.Conv2d(2, 3, 3, { stride: 2, padding: 1 }),
  Conv2d_grouped: () => new nn.Conv2d(4, 6, [3, 2], { groups: 2 }),
  Conv3d: () => new nn.Conv3d(2, 3, 2),
  ConvTranspose1d: () => new nn.ConvTranspose1d(3, 2, 4, { stride: 2, padding: 1 }),
  ConvTranspose2d: () => new nn.ConvTranspose2d(3, 2, 3, { stride: [2, 2], outputPadding: [1, 1] }),
  Embedding: () => new nn.Embedding(6, 4),
  LSTM: () => new nn.LSTM(3, 4),
};

const outputOf = (layer: nn.Module, x: tf.Tensor): tf.Tensor =>
  layer instanceof nn.LSTM ? layer.call(x)[0] : (layer.call(x) as tf.Tensor);

describe('weightNorm on a plain object, as torch', () => {
  it.each(cases)('$module, $param, dim $dim', (run) => {
    const host = { weight: inTidy(() => nn.parameter(tensorOf(run.weight_before))) as tf.Tensor };
    weightNorm(host, 'weight', { dim: dimOf(run.dim) });
    const { g, v } = parametrizationsOn(host, 'weight');
    tf.tidy(() => {
      expect(g).toBeAllClose(tensorOf(run.g_init));
      expect(v).toBeAllClose(tensorOf(run.v_init), { relative: 0, absolute: 0 });
      expect(host.weight).toBeAllClose(tensorOf(run.weight_before));
      g!.assign(tensorOf(run.g!));
      v!.assign(tensorOf(run.v!));
      expect(host.weight).toBeAllClose(tensorOf(run.weight));
    });
    removeParametrizations(host, 'weight');
    inTidy(() => expect(host.weight).toBeAllClose(tensorOf(run.after_remove)));
    host.weight.dispose();
  });
});

describe('weightNorm in a layer, as torch', () => {
  it('knows every layer of the golden file', () => {
    expect([...new Set(cases.map(({ module }) => module))].sort()).toEqual(Object.keys(layers).sort());
  });

  it.each(cases)('$module, $param, dim $dim: keys, output and gradients', (run) => {
    const layer = layers[run.module]!();
    weightNorm(layer, run.param, { dim: dimOf(run.dim) });
    expect(Object.keys(layer.stateDict())).toEqual(run.state_dict_keys.map(keyOf));
    const [g, v] = [keyOf(`${run.param}_g`), keyOf(`${run.param}_v`)];
    tf.tidy(() => {
      const state = Object.entries({ ...run.other_params, [g]: run.g, [v]: run.v });
      layer.loadStateDict(Object.fromEntries(state.map(([key, value]) => [key, tensorOf(value)])));
      const x = tensorOf(run.input);
      expect(outputOf(layer, x)).toBeAllClose(tensorOf(run.output));

      const dy = tensorOf(run.grad_output);
      const { grads } = tf.variableGrads(
        () => tf.sum(tf.mul(outputOf(layer, x), dy)) as tf.Scalar,
        layer.parameters(),
      );
      const wanted = { ...run.other_grads, [g]: run.dg, [v]: run.dv };
      const variables = layer.stateDict() as Record<string, tf.Variable>;
      expect(Object.keys(wanted).sort()).toEqual(Object.keys(variables).sort());
      for (const [key, value] of Object.entries(wanted)) {
        expect(grads[variables[key]!.name], key).toBeAllClose(tensorOf(value), { absolute: 1e-5 });
      }
      if (run.dx === null) return;
      const dx = tf.grad((input) => tf.sum(tf.mul(outputOf(layer, input), dy)))(x);
      expect(dx).toBeAllClose(tensorOf(run.dx), { absolute: 1e-5 });
    });
    removeParametrizations(layer, run.param);
    // Torch moves the tensor to the end of the state dict; here it takes its old place.
    expect(Object.keys(layer.stateDict()).sort()).toEqual([...run.keys_after_remove].sort());
    layer.dispose();
  });
});

/** Weights that put floating point to the test. */
type EdgeCase = Readonly<
  Record<'v' | 'g' | 'norm' | 'weight' | 'grad_output' | 'dv' | 'dg', GoldenTensor>
> & {
  readonly label: string;
  readonly dim: number;
};

const edges = golden.edge as unknown as EdgeCase[];

/** Where torch is not right, and why; the wanted numbers are then the definition in float64. */
const torchIsWrong: Readonly<Record<string, string>> = {
  zero_row_in_v: '0/0 is NaN in torch; here weight and gradients of the row are 0',
  zero_column_dim1: 'as zero_row_in_v',
  'scale_1e-22': 'the squares are denormal: two digits of the norm are right in torch, and dv overflows',
  'scale_1e-38': 'the norm underflows to 0 in torch, the weight is infinite',
  scale_1e19: 'the norm overflows in torch, the weight is 0',
  scale_1e30: 'as scale_1e19',
  'mixed_rows_1e-20_1e20_1e-12_1': 'dv of the small row and the norm of the large one overflow in torch',
};

interface Slices {
  readonly weight: number[][];
  readonly dv: number[][];
  readonly dg: number[];
  /** The size of the terms whose difference dv is: what its rounding errors are relative to. */
  readonly unit: number[];
}

/** The rows of a matrix, or its columns for dim 1. */
function slices({ shape, data }: GoldenTensor, dim: number): number[][] {
  const numbers = flatten({ data });
  const [m, n] = shape as [number, number];
  return dim === 0
    ? Array.from({ length: m }, (_, i) => numbers.slice(i * n, (i + 1) * n))
    : Array.from({ length: n }, (_, j) => Array.from({ length: m }, (_, i) => numbers[i * n + j]!));
}

/** The definition in float64, slice by slice. */
function definition({ v, g, grad_output, dim }: EdgeCase): Slices {
  const magnitudes = flatten(g);
  const upstream = slices(grad_output, dim);
  const all = slices(v, dim).map((row, i) => {
    const norm = Math.hypot(...row);
    if (norm === 0) return { weight: row.map(() => 0), dv: row.map(() => 0), dg: 0, unit: 0 };
    const unit = row.map((x) => x / norm);
    const dg = unit.reduce((sum, u, j) => sum + u * upstream[i]![j]!, 0);
    const factor = magnitudes[i]! / norm;
    return {
      weight: unit.map((u) => magnitudes[i]! * u),
      dv: unit.map((u, j) => factor * (upstream[i]![j]! - u * dg)),
      dg,
      unit: Math.abs(factor) * Math.hypot(...upstream[i]!),
    };
  });
  return {
    weight: all.map(({ weight }) => weight),
    dv: all.map(({ dv }) => dv),
    dg: all.map(({ dg }) => dg),
    unit: all.map(({ unit }) => (Number.isFinite(unit) ? unit : 0)),
  };
}

/** What torch computed, slice by slice. */
const torchSlices = (edge: EdgeCase): Slices => ({
  weight: slices(edge.weight, edge.dim),
  dv: slices(edge.dv, edge.dim),
  dg: flatten(edge.dg),
  unit: definition(edge).unit,
});

describe('weightNorm at the edges of floating point', () => {
  it('differs from torch in the named cases only', () => {
    const labels = edges.map(({ label }) => label);
    expect(Object.keys(torchIsWrong).filter((label) => !labels.includes(label))).toEqual([]);
    expect(labels.length).toBeGreaterThan(Object.keys(torchIsWrong).length);
  });

  it.each(edges)('$label', (edge) => {
    const wanted = edge.label in torchIsWrong ? definition(edge) : torchSlices(edge);
    const map = new WeightNorm({ dim: edge.dim });
    tf.tidy(() => {
      const [g, v, dy] = [tensorOf(edge.g), tensorOf(edge.v), tensorOf(edge.grad_output)];
      const slicesOf = (tensor: tf.Tensor): number[][] =>
        slices({ dtype: 'float32', shape: tensor.shape, data: flatten(tensor) }, edge.dim);
      slicesOf(map.forward(g, v)).forEach((row, i) => {
        expect(row, `slice ${i} of the weight`).toBeAllClose(wanted.weight[i]!);
      });
      const [dg, dv] = tf.grads((...originals) => map.forward(originals[0]!, originals[1]!))([g, v], dy);
      expect([dg!.shape, dv!.shape]).toEqual([g.shape, v.shape]);
      expect(dg!).toBeAllClose(wanted.dg);
      slicesOf(dv!).forEach((row, i) => {
        const absolute = 1e-6 * wanted.unit[i]!;
        expect(row, `slice ${i} of dv`).toBeAllClose(wanted.dv[i]!, { absolute });
      });
    });
    map.dispose();
  });

  it('has the norms of torch at registration wherever those are right', () => {
    for (const edge of edges) {
      if (edge.label in torchIsWrong) continue;
      const map = new WeightNorm({ dim: edge.dim });
      inTidy(() => {
        const [norm] = map.rightInverse(tensorOf(edge.v));
        expect(norm, edge.label).toBeAllClose(tensorOf(edge.norm), { absolute: 0 });
      });
      map.dispose();
    }
  });
});

describe('weightNorm fails where torch fails', () => {
  const codes: Readonly<Record<string, string>> = {
    'dim 2 of a matrix': 'OPTION',
    'a second time': 'RIGHT_INVERSE',
    'no such tensor': 'UNKNOWN_TENSOR',
  };

  it.each<[string, number | undefined, string | undefined]>([
    ['dim 2 of a matrix', 2, undefined],
    ['a second time', undefined, 'twice'],
    ['no such tensor', undefined, 'no_such_param'],
  ])('%s', (what, dim, label) => {
    expect(golden.errors.find((error) => error.dim === dim && error.label === label)!.ok).toBe(false);
    const host: nn.Module = new nn.Linear(5, 4);
    if (label === 'twice') weightNorm(host);
    const options = dim === undefined ? {} : { dim };
    expect(() => weightNorm(host, label === 'no_such_param' ? 'foo' : 'weight', options)).toThrow(
      expect.objectContaining({ code: codes[what] }),
    );
    host.dispose();
  });

  it('but not for dim -2 of a matrix, its first axis', () => {
    expect(golden.errors.find(({ dim }) => dim === -2)!.ok).toBe(true);
    const host = new nn.Linear(5, 4);
    weightNorm(host, 'weight', { dim: -2 });
    expect(parametrizationsOn(host, 'weight').g!.shape).toEqual([4, 1]);
    host.dispose();
  });

  it('and in no other case', () => {
    expect(golden.errors).toHaveLength(4);
  });
});

// tfjs computes in float32 only, so that of torch's other dtypes just what it computes in float32 can be had.
describe('weightNorm in float32 of numbers that torch holds in', () => {
  it.each(golden.dtypes)('$dtype (not a dtype of tfjs)', (run) => {
    const map = new WeightNorm();
    const host = {
      weight: inTidy(() => nn.parameter(tensorOf(run.v as GoldenTensor))) as tf.Tensor,
    };
    registerParametrization(host, 'weight', map);
    const { g } = parametrizationsOn(host, 'weight');
    tf.tidy(() => {
      g!.assign(tensorOf(run.g! as GoldenTensor));
      expect(host.weight).toBeAllClose(tensorOf(run.weight_computed_in_float32 as GoldenTensor));
    });
    removeParametrizations(host, 'weight');
    host.weight.dispose();
    map.dispose();
  });
});
