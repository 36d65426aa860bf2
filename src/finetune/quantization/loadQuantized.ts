import type { io, Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { CheckpointError, corrupt, named, quoted } from '../../checkpoint/checkpointError.ts';
import { openCheckpoint } from '../../checkpoint/file/openCheckpoint.ts';
import { safetensorsFile } from '../../checkpoint/formats/safetensors/safetensorsFile.ts';
import type { CheckpointReport } from '../../checkpoint/load/checkpointReport.ts';
import { loadCheckpointAs } from '../../checkpoint/load/loadCheckpoint.ts';
import type { Rename } from '../../checkpoint/load/selectState.ts';
import { savedState } from '../../checkpoint/save/savedState.ts';
import type { CheckpointSource } from '../../checkpoint/source/byteSource.ts';
import { loadHandlerFor } from '../../checkpoint/source/ioHandler.ts';
import { isIOHandler, schemeOf } from '../../checkpoint/source/ioScheme.ts';
import type { StoredTensor } from '../../checkpoint/tensor/storedTensor.ts';
import { viewOf } from '../../checkpoint/viewOf.ts';
import { checkOptions } from '../../core/checkOptions.ts';
import { ParametrizeError } from '../../core/errors.ts';
import { scoped } from '../../engine/scope.ts';
import { assignFields } from '../../nn/module/assignFields.ts';
import { middleOf } from '../../parametrizations/quantization/observedGrid.ts';
import { transaction } from '../../parametrize/transaction.ts';
import type { StatefulModel } from '../../stateDict/stateView.ts';
import { TorchStateView } from '../../stateDict/torchStateView.ts';
import { type QuantizedKey, quantizedKeys } from './quantizedKeys.ts';
import { dequantized, type QuantizedTensor, scaleIndices } from './quantizedTensor.ts';
import { fromParts, partNames, quantizedNoteKey, quantizedNotes } from './storedIntegers.ts';

/** Options of {@link loadQuantized}. */
export interface LoadQuantizedOptions {
  /** The prefix of the keys in the file. Default: the prefix that fits the model best. */
  readonly prefix?: string;
  /** Other names for keys, without the prefix. Null leaves a key out. */
  readonly rename?: Rename;
  /** True if a missing or unexpected key is an error. Default true. */
  readonly strict?: boolean;
}

const caller = 'loadQuantized';

/**
 * Loads a safetensors file of {@link saveQuantized} into a model, all or nothing. The weights are those of the saved
 * model, bit for bit.
 *
 * A plain model gets plain weights. A weight with `fakeQuantize` gets the scales and zero points of the file, too, so
 * that training goes on. Masks and other maps of the model stay as they are, and must not change the numbers.
 *
 * @param model - a module, or a model of tf.layers
 * @param source - bytes, a `Blob`, a URL, a path in Node.js, an `IOHandler`, or a URL of `tf.io`
 * @returns the report of {@link loadCheckpoint}
 * @throws {@link CheckpointError} `NOT_A_CHECKPOINT` for another file: `tf.loadLayersModel` and {@link loadCheckpoint}
 * load those; `CORRUPT` for a damaged one; the other codes of files
 * @throws {@link StateDictError} if the tensors do not fit the model
 * @throws {@link ParametrizeError} `CONFLICT` if `fakeQuantize` of the model has another range of integers, or fewer
 * scales, or if another map of its chain changes the numbers of the file. Nothing changes then.
 * @example
 * ```ts
 * await loadQuantized(model, 'small.safetensors');
 * ```
 */
export async function loadQuantized(
  model: StatefulModel,
  source: CheckpointSource | io.IOHandler,
  options: LoadQuantizedOptions = {},
): Promise<CheckpointReport> {
  checkOptions(caller, options, ['prefix', 'rename', 'strict']);
  try {
    const view = viewOf(caller, model, (kind) => new TorchStateView(kind, caller, model));
    const { tensors, bytes } = await readQuantized(source);
    const targets = await quantizedKeys(caller, model, view);
    const loading = (after: (keys: ReadonlyMap<string, string>) => void): Promise<CheckpointReport> =>
      loadCheckpointAs(caller, model, bytes, options, (keys, load) =>
        transaction(() => {
          for (const [key, name] of keys) {
            const [target, tensor] = [targets.get(key), tensors.get(name)];
            if (target !== undefined && !target.isTied && tensor !== undefined) giveGrid(key, target, tensor);
          }
          const loaded = load();
          after(keys);
          return loaded;
        }),
      );
    if ([...targets.values()].some(({ isAlone }) => !isAlone)) {
      await checkValues(loading, (keys) => {
        const { tensors: values } = savedState(view, model, 'folded');
        const compared = [...keys].flatMap(([key, name]) => {
          const [target, tensor, value] = [targets.get(key), tensors.get(name), values[key]];
          if (target?.isAlone !== false || tensor === undefined || value === undefined) return [];
          const wanted = tf.tensor(dequantized(tensor), [...tensor.shape]);
          return [[key, tf.keep(tf.all(tf.equal(value, wanted)))] as const];
        });
        tf.dispose(values);
        return new Map(compared);
      });
    }
    return await loading(() => {});
  } catch (error) {
    throw named(caller, error);
  }
}

interface ReadFile {
  /** The quantized tensors by name. */
  readonly tensors: ReadonlyMap<string, QuantizedTensor>;
  /** A file with the same numbers as float32. */
  readonly bytes: Uint8Array;
}

async function readQuantized(source: CheckpointSource | io.IOHandler): Promise<ReadFile> {
  const file = await openCheckpoint(caller, await bytesOf(source));
  try {
    const { [quantizedNoteKey]: note, ...metadata } = file.metadata;
    if (note === undefined) {
      throw notQuantized('this file has no list of quantized tensors', 'Load it with loadCheckpoint.');
    }
    const stored = new Map<string, StoredTensor>();
    for (const name of file.names) stored.set(name, await file.read(name));
    const tensors = new Map<string, QuantizedTensor>();
    for (const [name, one] of quantizedNotes(note)) {
      tensors.set(
        name,
        fromParts(name, one, (part) => stored.get(part)),
      );
      for (const part of Object.values(partNames(name))) stored.delete(part);
    }
    for (const [name, tensor] of tensors) {
      const data = dequantized(tensor);
      if (!data.every(Number.isFinite)) throw corrupt(`a scale is too large, one of ${quoted(name)}`);
      stored.set(name, { dtype: 'F32', shape: tensor.shape, data });
    }
    return { tensors, bytes: safetensorsFile(stored, metadata) };
  } finally {
    await file.close();
  }
}

const notQuantized = (fact: string, remedy: string): CheckpointError =>
  new CheckpointError('NOT_A_CHECKPOINT', fact, remedy);

/**
 * Refuses a file whose numbers other maps of the model would change, such as a mask. It loads the file, compares, and
 * takes the loading back before it waits for the result.
 *
 * @param compare - returns for each key a tensor that is true if the model has the numbers of the file
 */
async function checkValues(
  loading: (after: (keys: ReadonlyMap<string, string>) => void) => Promise<unknown>,
  compare: (keys: ReadonlyMap<string, string>) => Map<string, Tensor>,
): Promise<void> {
  let compared: Map<string, Tensor> | undefined;
  try {
    await loading((keys) => {
      compared = scoped(caller, () => compare(keys));
      throw new Error('the loading is taken back');
    });
  } catch (error) {
    if (compared === undefined) throw error;
  }
  try {
    for (const [key, isEqual] of compared!) {
      if ((await isEqual.data())[0] === 1) continue;
      throw new ParametrizeError('CONFLICT', {
        caller,
        fact: `${quoted(key)} cannot have the numbers of the file: another map of its chain changes them`,
        remedy: 'Give a mask the zeros of the file first, or load into a plain model.',
      });
    }
  } finally {
    tf.dispose([...compared!.values()]);
  }
}

/** Returns a source that is no handler. */
async function bytesOf(source: CheckpointSource | io.IOHandler): Promise<CheckpointSource> {
  const handler = isIOHandler(source)
    ? source
    : schemeOf(source) === null
      ? null
      : loadHandlerFor(source as string);
  if (handler === null) return source as CheckpointSource;
  if (handler.load === undefined) {
    throw new CheckpointError('OPTION', 'this IOHandler cannot load', 'Pass one with a load method.');
  }
  const { format, weightData } = await handler.load();
  if (format !== 'safetensors' || weightData === undefined) {
    throw notQuantized(
      'the IOHandler loads a model, and no safetensors file',
      'Load a model of tf.layers with tf.loadLayersModel.',
    );
  }
  return tf.io.CompositeArrayBuffer.join(weightData);
}

/** Gives a map the scales and zero points with which the numbers of a tensor are its values. */
function giveGrid(key: string, { map, indices }: QuantizedKey, tensor: QuantizedTensor): void {
  const { scale, zeroPoint, range, shape, scalesAlong } = tensor;
  const conflict = (fact: string): ParametrizeError =>
    new ParametrizeError('CONFLICT', {
      caller,
      fact: `${quoted(key)} has ${fact}`,
      remedy: 'Register fakeQuantize with the options of the saved model, or load into a plain model.',
    });
  if (range[0] < map.range[0] || range[1] > map.range[1]) {
    throw conflict(`integers of [${map.range.join(', ')}], and the file has those of [${range.join(', ')}]`);
  }
  // Tensors of other shapes are refused when they are loaded.
  if (tensor.integers.length !== indices.length) return;
  const places = scaleIndices(shape, scalesAlong);
  const [scales, points] = [new Float32Array(map.scale.size), new Float32Array(map.scale.size)];
  for (let i = 0; i < indices.length; i++) {
    const [at, place] = [indices[i]!, places[i]!];
    if (scales[at] !== 0 && (scales[at] !== scale[place] || points[at] !== zeroPoint[place])) {
      throw conflict('fewer scales than the file');
    }
    scales[at] = scale[place]!;
    points[at] = zeroPoint[place]!;
  }
  if (scales.includes(0)) return;
  const middle = map.learned ? 0 : middleOf(map.range);
  if (map.symmetric && points.some((point) => point !== middle)) {
    throw conflict('no zero points, and the file has some');
  }
  tf.tidy(() =>
    assignFields(map, {
      scale: tf.tensor(scales, map.scale.shape),
      zero_point: tf.tensor(points, map.zero_point.shape, map.zero_point.dtype),
    }),
  );
}
