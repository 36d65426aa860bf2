import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, describe, expect, it } from 'vitest';
import { loadCheckpoint, readSafetensors, saveCheckpoint } from '../../src/checkpoint/index.ts';
import { globTest } from '../../src/cli/glob.ts';
import { nn, spectralNorm, weightNorm } from '../../src/index.ts';
import { catalog } from '../../src/model/catalog.ts';
import { call } from './call.ts';

const folder = mkdtempSync(join(tmpdir(), 'cli-exclude-'));
afterAll(() => rmSync(folder, { recursive: true }));
const [input, output] = [join(folder, 'in.safetensors'), join(folder, 'out.safetensors')];

const network = (): nn.Sequential =>
  new nn.Sequential(weightNorm(new nn.Linear(3, 3)), weightNorm(new nn.Linear(3, 2)));

const namesIn = (path: string): string[] => {
  const { tensors } = readSafetensors(new Uint8Array(readFileSync(path)));
  tf.dispose(tensors);
  return Object.keys(tensors).sort();
};

describe('--exclude', () => {
  it.each([['1.weight'], ['1.*'], ['*.weight_g'], ['[!0].weight']])(
    '%s leaves weights as they are',
    async (glob) => {
      const saved = network();
      await saveCheckpoint(saved, input, { keyFormat: 'legacy' });
      expect(await call('fold', input, '-o', output, '--exclude', glob)).toMatchObject({
        code: 0,
        error: '',
      });
      const own = glob === '*.weight_g' ? ['0.weight_g', '0.weight_v'] : ['0.weight'];
      expect(namesIn(output)).toEqual(['0.bias', ...own, '1.bias', '1.weight_g', '1.weight_v']);
      saved.dispose();
    },
  );

  it('keeps what the recipe says of those, so that the file loads with a catalog', async () => {
    const saved = network();
    await saveCheckpoint(saved, input);
    expect((await call('fold', input, '-o', output, '--exclude', '1.*')).out).toMatch(/^folded 1 weight\n/);
    const model = new nn.Sequential(new nn.Linear(3, 3), new nn.Linear(3, 2));
    const { registered } = await loadCheckpoint(model, output, { catalog });
    expect(registered).toEqual(['1.weight']);
    const x = tf.ones([1, 3]);
    tf.tidy(() => {
      expect(model.call(x)).toBeAllClose(saved.call(x) as tf.Tensor, { relative: 1e-5 });
    });
    x.dispose();
    for (const module of [saved, model]) module.dispose();
  });

  it('may be given several times, and keeps names of convert', async () => {
    const saved = network();
    await saveCheckpoint(saved, input, { keyFormat: 'legacy' });
    const args = ['--key-format', 'modern', '--exclude', '0.weight', '--exclude', '1.weight'];
    expect(await call('convert', input, '-o', output, ...args)).toMatchObject({ code: 0 });
    expect(namesIn(output)).toEqual(namesIn(input));
    saved.dispose();
  });

  it('that fits no name is refused', async () => {
    const saved = network();
    await saveCheckpoint(saved, input);
    const result = await call('fold', input, '-o', output, '--exclude', 'decoder.*');
    expect(result).toMatchObject({ code: 2, error: expect.stringContaining("'decoder.*'") });
    saved.dispose();
  });

  it('has the globs of fnmatch', () => {
    const cases = [
      ['a.*.w', 'a.b.c.w', true],
      ['a.?.w', 'a.bc.w', false],
      ['[ab].w', 'b.w', true],
      ['[!ab].w', 'b.w', false],
      ['a+(b).w', 'a+(b).w', true],
      ['a.w', 'axw', false],
      ['[a', '[a', true],
    ] as const;
    for (const [glob, text, fits] of cases) expect(globTest(glob)(text), glob).toBe(fits);
  });
});

describe('a vector of spectral norm that is no unit vector, as of an average', () => {
  it('is noted by loadCheckpoint, as data and as a line, and by fold', async () => {
    const saved = spectralNorm(new nn.Linear(3, 2));
    const u = saved.stateDict()['parametrizations.weight.0._u'] as tf.Variable;
    tf.tidy(() => u.assign(tf.mul(u, 0.5)));
    await saveCheckpoint(saved, input, { keyFormat: 'legacy' });
    const model = new nn.Linear(3, 2);
    const report = await loadCheckpoint(model, input);
    expect(report.notes).toEqual([{ kind: 'vectorNorm', name: 'weight_u', norm: expect.closeTo(0.5, 5) }]);
    expect(String(report)).toContain('\nnote: weight_u has the norm 0.5000, not 1');
    const { error, out } = await call('fold', input, '-o', output, '--json');
    expect(error).toContain('note: weight_u has the norm 0.5000');
    expect(JSON.parse(out).notes).toEqual(report.notes);
    for (const module of [saved, model]) module.dispose();
  });

  it('is not noted of what training wrote', async () => {
    const saved = spectralNorm(new nn.Linear(3, 2));
    await saveCheckpoint(saved, input);
    const model = new nn.Linear(3, 2);
    expect((await loadCheckpoint(model, input)).notes).toEqual([]);
    for (const module of [saved, model]) module.dispose();
  });
});
