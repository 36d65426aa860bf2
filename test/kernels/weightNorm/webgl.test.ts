import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { weightNormOp } from '../../../src/kernels/index.ts';
import { webglWeightNorm } from '../../../src/kernels/weightNorm/webgl.ts';
import { definition } from '../../parametrizations/float64.ts';
import { inTidy } from '../../parametrize/fixtures.ts';
import { flatten } from '../../toBeAllClose.ts';
import { checkLeaks } from '../checkLeaks.ts';
import { tensorsOf } from './problems.ts';

type Backend = tf.KernelBackend & {
  readonly gpgpu: { executeProgram(): void };
  readonly texData: { get(dataId: object): { isPacked?: boolean; texture?: object; slice?: object } };
};

const backend = () => tf.backend() as Backend;

/** An object, but for some properties. */
const changed = <T extends object>(object: T, properties: object): T =>
  Object.assign(Object.create(object) as T, properties);

afterEach(() => {
  vi.restoreAllMocks();
});

/** How often `work` has the GPU draw. */
function drawsOf(work: () => tf.TensorContainer): number {
  const draw = vi.spyOn(backend().gpgpu, 'executeProgram');
  tf.dispose(work());
  const { length } = draw.mock.calls;
  draw.mockRestore();
  return length;
}

/** A tensor whose numbers are on the GPU, in the order of memory or four of them in a pixel. */
function onGPU(x: tf.Tensor, isPacked: boolean): tf.Tensor {
  const plain = tf.tile(
    x,
    x.shape.map(() => 1),
  );
  const result = isPacked ? tf.add(plain, 0) : plain;
  const { texture, isPacked: isResultPacked } = backend().texData.get(result.dataId);
  expect(texture).toBeTruthy();
  expect(isResultPacked === true).toBe(isPacked);
  return result;
}

checkLeaks();

describe('on webgl, weight norm', () => {
  // Making the kernels draws as well, once.
  beforeAll(() => inTidy(() => void weightNormOp(tf.ones([1, 1]), tf.ones([1, 2]), [1], 0)));

  const cases: [string, number[], number[], number, number][] = [
    ['a norm for each row', [64, 96], [1], 2, 4],
    ['a norm for each column', [96, 64], [0], 2, 4],
    ['norms in the middle', [12, 8, 10], [0, 2], 2, 4],
    ['a number for each norm', [64], [], 2, 4],
    ['one norm for few numbers', [20, 20], [0, 1], 2, 4],
    ['few long slices', [3, 5000], [1], 3, 6],
    ['one norm for many numbers', [200, 300], [0, 1], 3, 6],
  ];

  it.each(cases)('draws few times: %s', (_, shape, axes, forward, both) => {
    inTidy(() => {
      const gShape = shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
      const [g, v, dW] = [gShape, shape, shape].map((s) => onGPU(tf.randomUniform(s, 1, 2), false)) as [
        tf.Tensor,
        tf.Tensor,
        tf.Tensor,
      ];
      expect(drawsOf(() => weightNormOp(g, v, axes, 0))).toBe(forward);
      expect(drawsOf(() => tf.grads((...x) => weightNormOp(x[0]!, x[1]!, axes, 0))([g, v], dW))).toBe(both);
    });
  });

  it('draws at most nine times forward and backward where all operations around it keep four numbers in a pixel', () => {
    inTidy(() => {
      const [g, v, dW] = [
        onGPU(tf.randomNormal([64, 1]), true),
        onGPU(tf.randomNormal([64, 96]), true),
        onGPU(tf.randomNormal([64, 96]), true),
      ];
      expect(drawsOf(() => weightNormOp(g, v, [1], 0))).toBeLessThanOrEqual(4);
      const both = () => tf.grads((...x) => weightNormOp(x[0]!, x[1]!, [1], 0))([g, v], dW);
      expect(drawsOf(both)).toBeLessThanOrEqual(9);
    });
  });

  it.each<[number[], number[]]>([
    [[3, 5000], [1]],
    [[5000, 3], [0]],
    [
      [40, 3, 60],
      [0, 2],
    ],
    [
      [2, 41, 3, 40],
      [1, 3],
    ],
    [
      [257, 301],
      [0, 1],
    ],
  ])('is the definition where a slice is shared out, of shape %j over axes %j', (shape, axes) => {
    inTidy(() => {
      const { g, v, dW } = tensorsOf({ shape, axes, seed: 11, eps: 0 });
      const truth = definition(
        shape,
        [...shape.keys()].filter((axis) => !axes.includes(axis)),
      );
      const [gs, vs, dWs] = [g, v, dW].map(flatten) as [number[], number[], number[]];
      expect(flatten(weightNormOp(g, v, axes, 0))).toBeAllClose(truth.weight(gs, vs), {
        relative: 2e-6,
        absolute: 0,
      });
      const [dg, dv] = tf.grads((...x) => weightNormOp(x[0]!, x[1]!, axes, 0))([g, v], dW);
      const wanted = truth.gradient(gs, vs, dWs);
      expect(flatten(dg!)).toBeAllClose(wanted.dg, { absolute: 1e-4 });
      expect(flatten(dv!)).toBeAllClose(wanted.dv, { absolute: 1e-6 });
    });
  });

  it('has the norms of the largest and the smallest numbers where a slice is shared out', () => {
    inTidy(() => {
      for (const size of [2 ** -120, 2 ** -50, 1, 2 ** 50, 2 ** 118]) {
        const v = tf.fill([1, 4096], size);
        expect(weightNormOp(tf.ones([1, 1]), v, [1], 0)).toBeAllClose(tf.fill([1, 4096], 1 / 64));
      }
    });
  });

  it('reads tensors that keep four numbers in a pixel, or are a part of another', () => {
    inTidy(() => {
      const all = tf.tensor2d([1, 2, 3, 4, 5, 12, 8, 15, 7, 24, 20, 21], [6, 2]);
      const flat = onGPU(tf.reshape(all, [-1]), false);
      const part = tf.reshape(tf.slice(flat, [4], [6]), [3, 2]);
      expect(backend().texData.get(part.dataId).slice).toBeDefined();
      const g = tf.tensor2d([13, 17, 25], [3, 1]);
      for (const v of [part, onGPU(part, true), onGPU(part, false)]) {
        expect(weightNormOp(g, v, [1], 0)).toBeAllClose([5, 12, 8, 15, 7, 24]);
      }
    });
  });

  it('keeps apart what differs in its uniforms only', () => {
    inTidy(() => {
      // The code that finds the norm of a number is the same for both.
      for (const [shape, axes] of [
        [[40, 3], [0]],
        [
          [2, 3, 5],
          [0, 2],
        ],
      ] as [number[], number[]][]) {
        const v = tf.ones(shape);
        const g = tf.ones(shape.map((size, axis) => (axes.includes(axis) ? 1 : size)));
        const count = axes.reduce((product, axis) => product * shape[axis]!, 1);
        expect(weightNormOp(g, v, axes, 0)).toBeAllClose(tf.fill(shape, 1 / Math.sqrt(count)));
      }
    });
  });
});

describe('the kernels for webgl', () => {
  const flags = { WEBGL_VERSION: 2 as number | boolean, WEBGL_RENDER_FLOAT32_ENABLED: true };
  beforeEach(() => {
    for (const name of Object.keys(flags) as (keyof typeof flags)[])
      flags[name] = tf.env().get(name) as never;
  });
  afterEach(() => {
    for (const [name, value] of Object.entries(flags)) tf.env().set(name, value);
  });

  it.each(['texData', 'compileAndRun', 'unpackTensor', 'disposeIntermediateTensorInfo'])(
    'are not made for a backend without %s',
    (name) => {
      expect(() => webglWeightNorm(changed(backend(), { [name]: undefined }))).toThrow(/^the backend has no/);
    },
  );

  it('are not made for a backend that compiles shaders of another kind', () => {
    const { compileAndRun } = tf.backend() as unknown as { compileAndRun(...args: unknown[]): tf.TensorInfo };
    const other = changed(backend(), {
      compileAndRun: (program: { userCode: string }, ...args: unknown[]) =>
        compileAndRun.call(
          tf.backend(),
          { ...program, userCode: program.userCode.replaceAll('getX(', 'sampleX(') },
          ...args,
        ),
    });
    vi.spyOn(console, 'log').mockImplementation(() => {});
    expect(() => webglWeightNorm(other)).toThrow(/^the backend does not run programs as is relied on/);
  });

  it('are not made for devices of WebGL 1 or with float16 only', () => {
    tf.env().set('WEBGL_VERSION', 1);
    expect(() => webglWeightNorm(backend())).toThrow('the device has no WebGL 2');
    tf.env().set('WEBGL_VERSION', 2);
    tf.env().set('WEBGL_RENDER_FLOAT32_ENABLED', false);
    expect(() => webglWeightNorm(backend())).toThrow('the device computes in float16');
  });

  it('allocate nothing that stays when they are made', () => {
    const before = backend().numDataIds();
    webglWeightNorm(backend());
    expect(backend().numDataIds()).toBe(before);
  });
});
