import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import 'tfjs-parametrize/layers';
import { loadCheckpoint, saveCheckpoint, writeSafetensors } from '../../../src/checkpoint/index.ts';
import { memoryHandler } from '../layerNetworks.ts';

// A chain of dense layers of few widths, so that shapes repeat. Each module of its file is full of one number, its own.

interface Architecture {
  /** From the input to the output. */
  readonly widths: readonly number[];
  /** The names of torch's modules, in the order of computing. */
  readonly names: readonly string[];
  /** An order of the modules for the file. */
  readonly order: readonly number[];
  readonly prefix: string;
}

const architectures: fc.Arbitrary<Architecture> = fc
  .array(fc.integer({ min: 2, max: 3 }), { minLength: 2, maxLength: 6 })
  .chain((widths) =>
    fc.record({
      widths: fc.constant(widths),
      names: fc.uniqueArray(
        fc.constantFrom('a', 'b', 'fc', '0', '1', '2', '10', 'net.0', 'dense_1', 'dense_Dense2'),
        {
          minLength: widths.length - 1,
          maxLength: widths.length - 1,
        },
      ),
      order: fc.shuffledSubarray(
        widths.slice(1).map((_, i) => i),
        { minLength: widths.length - 1 },
      ),
      prefix: fc.constantFrom('', 'model.', 'state_dict.module.'),
    }),
  );

/** The number of the i-th module in the order of computing. */
const numberOf = (i: number): number => i + 1;

function modelOf({ widths }: Architecture, nameOf: (i: number) => string | undefined): tf.Sequential {
  return tf.sequential({
    layers: widths.slice(1).map((units, i) => {
      const name = nameOf(i);
      return tf.layers.dense({
        units,
        ...(name === undefined ? {} : { name }),
        ...(i === 0 ? { inputShape: [widths[0]!] } : {}),
      });
    }),
  });
}

async function fileOf({ widths, names, order, prefix }: Architecture): Promise<tf.io.IOHandler | Uint8Array> {
  const tensors = Object.fromEntries(
    order.flatMap((i) => [
      [`${prefix}${names[i]}.weight`, tf.fill([widths[i + 1]!, widths[i]!], numberOf(i))],
      [`${prefix}${names[i]}.bias`, tf.fill([widths[i + 1]!], numberOf(i))],
    ]),
  );
  const bytes = await writeSafetensors(tensors);
  tf.dispose(tensors);
  return bytes;
}

/** The numbers of the modules that are in the layers; null for what was there before. */
async function numbersIn(model: tf.Sequential): Promise<(number | null)[]> {
  const found: (number | null)[] = [];
  for (const layer of model.layers) {
    const values = await Promise.all(layer.getWeights().map(async (weight) => [...(await weight.data())]));
    const all = new Set(values.flat());
    found.push(all.size === 1 ? [...all][0]! : null);
  }
  return found;
}

const right = ({ names }: Architecture): number[] => names.map((_, i) => numberOf(i));

describe('a chain of layers of few shapes', () => {
  it('gets the modules of its names, whatever their order in the file', async () => {
    await fc.assert(
      fc.asyncProperty(architectures, async (architecture) => {
        const names = architecture.names.map((name) => `m.${name}`);
        const all = { ...architecture, names };
        const model = modelOf(all, (i) => names[i]);
        await loadCheckpoint(model, await fileOf(all));
        expect(await numbersIn(model)).toEqual(right(all));
        model.dispose();
      }),
      { numRuns: 30 },
    );
  });

  it('without names is loaded right or not at all, also if it is not strict; the shown names load', async () => {
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(architectures, fc.boolean(), async (architecture, strict) => {
        const model = modelOf(architecture, () => undefined);
        const before = await numbersIn(model);
        const file = await fileOf(architecture);
        const error = await loadCheckpoint(model, file, { strict }).then(
          () => null,
          (thrown: { code: string; message: string; rename: Record<string, string> }) => thrown,
        );
        if (error === null) {
          expect(await numbersIn(model)).toEqual(right(architecture));
          model.dispose();
          return;
        }
        refused++;
        expect(error.code).toBe('AMBIGUOUS');
        expect(await numbersIn(model)).toEqual(before);
        const shown = /\{ rename: (\{.*\}) \}/.exec(error.message)![1]!;
        expect(JSON.parse(shown.replaceAll("'", '"'))).toEqual(error.rename);
        expect(Object.keys(error.rename)).toHaveLength(architecture.names.length);
        await loadCheckpoint(model, file, { rename: error.rename });
        const loaded = await numbersIn(model);
        expect([...loaded].sort()).toEqual(right(architecture));
        for (const [from, to] of Object.entries(error.rename)) {
          const name = architecture.names.find((each) => architecture.prefix + each === from)!;
          const at = model.layers.findIndex((layer) => layer.name === to);
          expect(loaded[at]).toBe(numberOf(architecture.names.indexOf(name)));
        }
        model.dispose();
      }),
      { numRuns: 60 },
    );
    expect(refused).toBeGreaterThan(0);
  });

  it('without names gets back what a chain without names has saved, whatever their numbers', async () => {
    await fc.assert(
      fc.asyncProperty(architectures, fc.boolean(), async (architecture, strict) => {
        const [model, other] = [
          modelOf(architecture, () => undefined),
          modelOf(architecture, () => undefined),
        ];
        tf.tidy(() => {
          for (const [i, layer] of model.layers.entries()) {
            layer.setWeights(layer.getWeights().map(({ shape }) => tf.fill(shape, numberOf(i))));
          }
        });
        const handler = memoryHandler();
        await saveCheckpoint(model, handler);
        await loadCheckpoint(other, handler, { strict });
        expect(await numbersIn(other)).toEqual(right(architecture));
        model.dispose();
        other.dispose();
      }),
      { numRuns: 20 },
    );
  });

  it('with some names takes those by name and asks for the others, or finds the only way', async () => {
    await fc.assert(
      fc.asyncProperty(architectures, fc.boolean(), fc.nat(5), async (architecture, strict, seed) => {
        const names = architecture.names.map((name) => `m.${name}`);
        const all = { ...architecture, names };
        const model = modelOf(all, (i) => ((seed + i) % 2 === 0 ? names[i] : undefined));
        const before = await numbersIn(model);
        const isLoaded = await loadCheckpoint(model, await fileOf(all), { strict }).then(
          () => true,
          ({ code }: { code: string }) => {
            expect(code).toBe('AMBIGUOUS');
            return false;
          },
        );
        expect(await numbersIn(model)).toEqual(isLoaded ? right(all) : before);
        model.dispose();
      }),
      { numRuns: 30 },
    );
  });
});
