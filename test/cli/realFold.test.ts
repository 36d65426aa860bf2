import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { openSafetensors, openTorch } from '../../src/checkpoint/index.ts';
import {
  bfloat16ToFloat32,
  float16ToFloat32,
  toBfloat16,
  toFloat16,
} from '../../src/checkpoint/tensor/half.ts';
import { call } from './call.ts';

const folder = mkdtempSync(join(tmpdir(), 'cli-real-'));
afterAll(() => rmSync(folder, { recursive: true }));
const output = join(folder, 'out.safetensors');
const real = (name: string): string =>
  fileURLToPath(new URL(`../checkpoint/files/real/${name}`, import.meta.url));

describe('fold', () => {
  it('keeps half precision, counts what it folds, and rounds to the nearest number', async () => {
    const { code, out, error } = await call('fold', real('rvc.pth'), '-o', output, '--prefix', 'weight');
    expect([code, error]).toEqual([0, '']);
    expect(out).toMatch(/^folded 8 weights\n/);
    const [before, after] = [await openTorch(real('rvc.pth')), await openSafetensors(output)];
    for (const name of after.names) expect(after.info(name).dtype, name).toBe('F16');
    const [g, v] = [
      await before.read('weight.dec.conv_post.weight_g'),
      await before.read('weight.dec.conv_post.weight_v'),
    ].map(({ data }) => float16ToFloat32(data as Uint16Array)) as [Float32Array, Float32Array];
    const norm = Math.hypot(...v);
    const weight = await after.read('dec.conv_post.weight');
    expect([...weight.data]).toEqual([...toFloat16(v.map((x) => (g[0]! * x) / norm))]);
    await before.close();
    await after.close();
  });

  it('warns if it folds nothing, and names a spectral norm that is not of torch', async () => {
    const bar = await call('fold', real('disc_weight_bar.pth'), '-o', output);
    expect(bar.code).toBe(0);
    expect(bar.error).toMatch(
      /^warning: folded 0 weights: '0\.module\.weight_bar' is the original of a spectral norm/,
    );
    const plain = await call('fold', real('linear_sparse.pth'), '-o', output);
    expect(plain).toMatchObject({ code: 1, error: expect.stringContaining("'adj'") });
    const json = await call('fold', real('param_with_state.pth'), '-o', output, '--json');
    expect([json.code, JSON.parse(json.out).folded]).toEqual([0, 0]);
    expect(json.error).toMatch(/^warning: folded 0 weights: neither the names/);
  });
});

describe('half precision', () => {
  it.each([
    ['float16', toFloat16, float16ToFloat32],
    ['bfloat16', toBfloat16, bfloat16ToFloat32],
  ])('as %s comes back from its numbers, every bit pattern', (_, to, from) => {
    const all = Uint16Array.from({ length: 0x10000 }, (_, bits) => bits);
    const numbers = from(all);
    const again = to(numbers);
    for (const bits of all) {
      if (!Number.isNaN(numbers[bits]!)) expect(again[bits]).toBe(bits);
      else expect(from(again.slice(bits, bits + 1))[0]).toBeNaN();
    }
  });

  it('rounds to the nearest number, and of two as near to the even one', () => {
    const next = 2 ** -10;
    expect([
      ...toFloat16([1 + next / 2, 1 + 1.5 * next, 1 + 0.51 * next, 65519, 65520, 2 ** -25, 1.1 * 2 ** -25]),
    ]).toEqual([0x3c00, 0x3c02, 0x3c01, 0x7bff, 0x7c00, 0, 1]);
    expect([...toBfloat16([1 + 2 ** -8, 1 + 3 * 2 ** -8])]).toEqual([0x3f80, 0x3f82]);
  });
});
