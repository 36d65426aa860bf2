import type { NamedTensorMap } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { quoted } from '../../checkpoint/checkpointError.ts';
import { layerOrderTexts } from '../../checkpoint/metadata/layerOrder.ts';
import { savedState } from '../../checkpoint/save/savedState.ts';
import { writtenOnce } from '../../checkpoint/save/writtenOnce.ts';
import type { StoredTensor } from '../../checkpoint/tensor/storedTensor.ts';
import { viewOf } from '../../checkpoint/viewOf.ts';
import { refusal } from '../../core/errors.ts';
import type { StatefulModel } from '../../stateDict/stateView.ts';
import { TorchStateView } from '../../stateDict/torchStateView.ts';
import { blocksOf } from './blocksOf.ts';
import { type GridTensors, gridTensors, type ReadGrid, readGrids, schemeOf } from './currentGrids.ts';
import type { SavedTensor } from './quantizationReport.ts';
import type { Float16 } from './quantizedArtifacts.ts';
import { type QuantizedKey, quantizedKeys } from './quantizedKeys.ts';
import { type QuantizedTensor, quantized } from './quantizedTensor.ts';
import { halved, readNumbers } from './readNumbers.ts';
import { partNames, type QuantizedNote, quantizedNoteKey, storedParts } from './storedIntegers.ts';

/** The contents of a safetensors file with integers. */
export interface QuantizedStateDict {
  readonly stored: ReadonlyMap<string, StoredTensor>;
  readonly metadata: Readonly<Record<string, string>>;
  readonly saved: readonly SavedTensor[];
}

/**
 * Returns the plain state dict of a model with integers in place of the numbers that `fakeQuantize` made.
 *
 * @throws {@link ParametrizeError} `NOT_FINITE`, `UNSUPPORTED_HOST`; `CONFLICT` if the model has a tensor with the name
 * of a part
 */
export async function quantizedStateDict(
  caller: string,
  model: object,
  float16: Float16,
): Promise<QuantizedStateDict> {
  const view = viewOf(
    caller,
    model as StatefulModel,
    (kind) => new TorchStateView(kind, caller, model as StatefulModel),
  );
  const { tensors } = savedState(view, model as StatefulModel, 'folded');
  let grids: GridTensors = new Map();
  try {
    const once = writtenOnce(tensors, view.ties, {});
    grids = gridTensors(caller, model);
    // Everything above has the state at the moment of the call.
    const keys = await quantizedKeys(caller, model, view);
    const numbers = await readNumbers(caller, once.tensors);
    const read = await readGrids(grids);
    const stored = new Map<string, StoredTensor>();
    const notes: Record<string, QuantizedNote> = {};
    const saved = [...numbers].map(([name, one]) => {
      const key = keys.get(name);
      const grid = (key && read.get(key.map)) ?? null;
      const tensor = grid === null ? null : integersOf(one, key!, grid);
      const { parts, ...form } = tensor === null ? floats(name, one, float16) : storedParts(name, tensor);
      for (const [part, value] of parts) {
        checkName(caller, part, name, once.tensors);
        stored.set(part, value);
      }
      if (tensor !== null) notes[name] = { shape: tensor.shape, range: tensor.range };
      return {
        name,
        shape: one.shape,
        scheme: grid === null ? null : schemeOf(grid.map),
        isExact: true,
        bytesBefore: one.data.byteLength,
        bytes: parts.reduce((sum, [, { data }]) => sum + data.byteLength, 0),
        reason: grid !== null && tensor === null ? 'its value is not that of fakeQuantize' : null,
        ...form,
      };
    });
    const metadata = {
      format: 'pt',
      [quantizedNoteKey]: JSON.stringify(notes),
      ...layerOrderTexts(view),
      ...once.aliases,
    };
    return { stored, metadata, saved };
  } finally {
    tf.dispose(tensors);
    for (const { scale, zeroPoint } of grids.values()) tf.dispose([scale, zeroPoint]);
  }
}

function integersOf(
  { shape, data }: StoredTensor,
  { map, indices }: QuantizedKey,
  { scale, zeroPoint }: ReadGrid,
): QuantizedTensor | null {
  if (indices.length !== data.length) return null;
  const { scalesAlong, order } = blocksOf(shape, indices);
  return quantized({
    shape,
    scalesAlong,
    range: map.range,
    scale: Float32Array.from(order, (i) => scale[i]!),
    zeroPoint: Int32Array.from(order, (i) => zeroPoint[i]!),
    values: data as Float32Array,
  });
}

const types = { F32: 'float32', I32: 'int32', BOOL: 'bool' } as const;

function floats(
  name: string,
  one: StoredTensor,
  float16: Float16,
): { parts: [string, StoredTensor][]; dtype: SavedTensor['dtype']; isExact: boolean } {
  const halves = float16 === 'all' && one.dtype === 'F32' ? halved(one.data as Float32Array) : null;
  if (halves === null) {
    return { parts: [[name, one]], dtype: types[one.dtype as keyof typeof types], isExact: true };
  }
  return { parts: [[name, { ...one, dtype: 'F16', data: halves }]], dtype: 'float16', isExact: false };
}

function checkName(caller: string, part: string, name: string, tensors: NamedTensorMap): void {
  if (part === name || !Object.hasOwn(tensors, part)) return;
  throw refusal(
    'CONFLICT',
    caller,
    `the model has a tensor ${quoted(part)}, as a part of ${quoted(name)} is called in the file`,
    `Give it another name. The parts are ${Object.values(partNames(name)).map(quoted).join(', ')}.`,
  );
}
