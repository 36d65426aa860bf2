import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, type Rollup } from 'vite';
import { describe, expect, it } from 'vitest';
import { root } from '../markdown.ts';
import { outputOf } from '../outputOf.ts';

// The tests run with the union package @tensorflow/tfjs; these programs run in processes of their own.

describe('the packages that a program imports', () => {
  it('may be tfjs-core, tfjs-layers and one backend', async () => {
    const output = await outputOf(`
      import '@tensorflow/tfjs-backend-cpu';
      import * as tf from '@tensorflow/tfjs-core';
      import { layers, sequential } from '@tensorflow/tfjs-layers';
      import { valueOf, unitNorm } from 'tfjs-parametrize';
      import { syncModel } from 'tfjs-parametrize/layers';

      const dense = layers.dense({ units: 2, inputShape: [3] });
      const model = sequential({ layers: [dense] });
      model.compile({ optimizer: 'adam', loss: 'meanSquaredError' });
      unitNorm(dense, 'kernel');
      syncModel(model);
      await model.fit(tf.ones([4, 3]), tf.ones([4, 2]), { epochs: 2, verbose: 0 });
      const norms = tf.sqrt(tf.sum(tf.square(valueOf(dense, 'kernel')), 0));
      console.log([...(await norms.data())].map((norm) => norm.toFixed(5)).join());
    `);
    expect(output.trim()).toBe('1.00000,1.00000');
  });

  it('must include tfjs-parametrize/layers for layers, and the error says so', async () => {
    const output = await outputOf(`
      import * as tf from '@tensorflow/tfjs';
      import { weightNorm } from 'tfjs-parametrize';

      const dense = tf.layers.dense({ units: 2, inputShape: [3] });
      tf.sequential({ layers: [dense] });
      try {
        weightNorm(dense as never);
      } catch (error) {
        console.log((error as Error).message);
      }
    `);
    expect(output.trim()).toContain("import 'tfjs-parametrize/layers';");
  });

  it('may be bundled: importing tfjs-parametrize/layers for its effect keeps what it does', async () => {
    const cache = join(root, '.cache');
    mkdirSync(cache, { recursive: true });
    const folder = mkdtempSync(join(cache, 'bundle-'));
    try {
      const entry = join(folder, 'entry.js');
      const [layers, index] = ['src/layers/index.ts', 'src/index.ts'].map((path) =>
        JSON.stringify(join(root, path)),
      );
      writeFileSync(entry, `import ${layers};\nexport { weightNorm } from ${index};\n`);
      const output = await build({
        configFile: false,
        logLevel: 'silent',
        build: {
          write: false,
          minify: false,
          lib: { entry, formats: ['es'] },
          rollupOptions: { external: /^@tensorflow/ },
        },
      });
      const [{ output: chunks }] = output as Rollup.RollupOutput[] as [Rollup.RollupOutput];
      const code = chunks.map((chunk) => ('code' in chunk ? chunk.code : '')).join('');
      expect(code).toMatch(/registerHostKind\(\{ ?\.\.\.layerHost|registerHostKind\(\{\s+\.\.\.layerHost/);
      expect(code).toMatch(/wrapOnce\(\s*\w+, "makeTrainFunction"/);
      expect(code).toMatch(/wrapOnce\(\s*\w+, "call"/);
      expect(code).toMatch(/registerClass\(MeanOnlyBatchNormalization\)/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
