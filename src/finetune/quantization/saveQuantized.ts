import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { named } from '../../checkpoint/checkpointError.ts';
import { safetensorsFile } from '../../checkpoint/formats/safetensors/safetensorsFile.ts';
import type { CheckpointTarget } from '../../checkpoint/save/saveCheckpoint.ts';
import { checkChoice, checkOptions } from '../../core/checkOptions.ts';
import { scoped } from '../../engine/scope.ts';
import { checkModel } from '../../model/checkModel.ts';
import type { FakeQuantize } from '../../parametrizations/fakeQuantize.ts';
import { type PlainModel, type StateKind, stateKindOf } from '../../stateDict/stateView.ts';
import { gridTensors, quantizerIn, readGrids } from './currentGrids.ts';
import { type QuantizationReport, quantizationReport } from './quantizationReport.ts';
import { quantizationTarget } from './quantizationTarget.ts';
import { encodedWeight, type Float16, joined } from './quantizedArtifacts.ts';
import { quantizedStateDict } from './quantizedStateDict.ts';
import { readNumbers } from './readNumbers.ts';

/** Options of {@link saveQuantized}. */
export interface SaveQuantizedOptions {
  /**
   * The weights that are written as 16-bit floating-point numbers, which rounds them: `'severalScales'` are those of
   * `fakeQuantize` that the format of tfjs cannot hold as integers, because it has one scale for a tensor; `'all'` also
   * those without `fakeQuantize`; `'none'`. Default `'severalScales'`. A weight that float16 cannot hold stays float32.
   */
  readonly float16?: Float16;
}

const caller = 'saveQuantized';

/**
 * Saves a model with the integers of `fakeQuantize` in place of numbers. The model itself stays as it is.
 *
 * A model of tf.layers becomes the artifacts of a plain model, which `tf.loadLayersModel` loads without this package: a
 * weight with one scale is `uint8`, or with more than 8 bits `uint16`, and loads bit for bit. A path that ends in
 * `.json` gets `model.json` and `model.weights.bin` (in Node.js).
 *
 * A module becomes a safetensors file for {@link loadQuantized}, and so does a model of tf.layers for a path that ends
 * in `.safetensors`, or a stream: integers of 4, 8 or 16 bits with their scales, for one scale, for channels and for
 * groups, all bit for bit.
 *
 * The file has the state at the moment of the call, even if training continues meanwhile.
 *
 * @param model - a module, or a model of tf.layers
 * @param target - a path in Node.js, a stream, an `IOHandler` (`tf.io.withSaveHandler` for memory), or a URL of `tf.io`
 * @returns the form of each tensor, with the bytes before and after
 * @throws {@link ParametrizeError} `NOT_FINITE` if a weight has NaN or infinity; `UNSUPPORTED_HOST`; `OPTION`;
 * `CONFLICT` if the model has a tensor with the name of a part. Nothing is written then.
 * @throws {@link CheckpointError} `OPTION` for a target that is none; `UNREADABLE` if a file cannot be written
 * @example
 * ```ts
 * const report = await saveQuantized(model, 'indexeddb://small');
 * console.log(String(report), report.bytes);
 * const plain = await tf.loadLayersModel('indexeddb://small');
 * ```
 */
export async function saveQuantized(
  model: object,
  target: CheckpointTarget,
  options: SaveQuantizedOptions = {},
): Promise<QuantizationReport> {
  checkModel(caller, model);
  checkOptions(caller, options, ['float16']);
  const { float16 = 'severalScales' } = options;
  checkChoice(caller, 'float16', float16, ['none', 'severalScales', 'all']);
  try {
    const kind = stateKindOf(model);
    const to = quantizationTarget(target, kind !== undefined);
    if (to.format === 'tfjs') {
      const { artifacts, report } = await quantizedModel(kind!, model, float16);
      await to.save(artifacts);
      return report;
    }
    const { stored, metadata, saved } = await quantizedStateDict(caller, model, float16);
    await to.write(safetensorsFile(stored, metadata) as Uint8Array<ArrayBuffer>);
    return quantizationReport('safetensors', saved);
  } catch (error) {
    throw named(caller, error);
  }
}

/** Returns the artifacts of a plain model. */
async function quantizedModel(
  kind: StateKind,
  model: object,
  float16: Float16,
): Promise<{ artifacts: tf.io.ModelArtifacts; report: QuantizationReport }> {
  const { topology, metadata, weights } = copied(kind, model);
  const grids = gridTensors(caller, model);
  try {
    const numbers = await readNumbers(
      caller,
      Object.fromEntries(weights.map(({ name, value }) => [name, value])),
    );
    const read = await readGrids(grids);
    const encoded = weights.map(({ name, map }) =>
      encodedWeight({ name, stored: numbers.get(name)!, grid: (map && read.get(map)) ?? null }, float16),
    );
    const artifacts = {
      modelTopology: topology,
      format: 'layers-model',
      generatedBy: 'tfjs-parametrize',
      convertedBy: null,
      weightSpecs: encoded.map(({ spec }) => spec),
      weightData: joined(encoded.map(({ bytes }) => bytes)).buffer,
      ...(Object.keys(metadata).length > 0 && { userDefinedMetadata: { ...metadata } }),
    };
    return {
      artifacts,
      report: quantizationReport(
        'tfjs',
        encoded.map(({ saved }) => saved),
      ),
    };
  } finally {
    tf.dispose(weights.map(({ value }) => value));
    for (const { scale, zeroPoint } of grids.values()) tf.dispose([scale, zeroPoint]);
  }
}

interface CopiedModel extends Pick<PlainModel, 'topology' | 'metadata'> {
  readonly weights: readonly {
    readonly name: string;
    readonly value: Tensor;
    readonly map: FakeQuantize | null;
  }[];
}

/** Copies the weights of a model. */
const copied = (kind: StateKind, model: object): CopiedModel =>
  scoped(caller, () => {
    const { weights, ...plain } = kind.plainModel(caller, model);
    return {
      ...plain,
      weights: weights.map(({ name, value, list }) => ({
        name,
        value: tf.keep(tf.clone(value)),
        map: quantizerIn(list),
      })),
    };
  });
