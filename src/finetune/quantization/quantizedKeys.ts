import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { joinPath } from '../../core/paths.ts';
import { scoped } from '../../engine/scope.ts';
import { candidatesOf } from '../../model/select/candidate.ts';
import { tieOf } from '../../nn/module/normalizedTensor.ts';
import type { FakeQuantize } from '../../parametrizations/fakeQuantize.ts';
import type { ParametrizationList } from '../../parametrize/chain/parametrizationList.ts';
import { registrationOf } from '../../parametrize/chain/registry.ts';
import type { Layout } from '../../stateDict/layout.ts';
import { keyOf } from '../../stateDict/stateTensor.ts';
import type { StateView } from '../../stateDict/stateView.ts';
import { TorchStateView } from '../../stateDict/torchStateView.ts';
import { quantizerIn } from './currentGrids.ts';
import { scaleIndices } from './quantizedTensor.ts';

/** A tensor of a state dict that a map quantizes. */
export interface QuantizedKey {
  readonly map: FakeQuantize;
  /** True if another tensor has the map, and this one is tied to it. */
  readonly isTied: boolean;
  /** True if the chain has no other map. */
  readonly isAlone: boolean;
  /** The index of the scale of each element, in the layout of the state dict. */
  readonly indices: Int32Array;
}

interface FoundKey {
  readonly key: string;
  readonly list: ParametrizationList | null | undefined;
  readonly layout: Layout | null;
}

/** Finds the tensors of a state dict that a map quantizes, by key. */
export async function quantizedKeys(
  caller: string,
  model: object,
  view: StateView | TorchStateView,
): Promise<Map<string, QuantizedKey>> {
  const keys = new Map<string, QuantizedKey>();
  for (const { key, list, layout } of foundKeys(caller, model, view)) {
    const map = quantizerIn(list);
    if (map === null) continue;
    const tie = tieOf(list ?? null);
    const { shape, scalesAlong } = map.layout;
    // The elements of a transposed tensor have another order, which matters to several scales only.
    if (tie?.isTransposed === true && scalesAlong.some((count) => count !== 1)) continue;
    const indices = scaleIndices(shape, scalesAlong);
    keys.set(key, {
      map,
      isTied: tie !== undefined,
      isAlone: list?.length === 1 && list[0] === map,
      indices: layout === null ? indices : await inTorch(caller, indices, shape, layout),
    });
  }
  return keys;
}

function foundKeys(caller: string, model: object, view: StateView | TorchStateView): FoundKey[] {
  if (view instanceof TorchStateView) {
    return view.parts.flatMap((part) =>
      part.tensors.map((tensor) => ({
        key: keyOf(tensor, part),
        list: registrationOf(tensor.host, tensor.name)?.list,
        layout: tensor.torchNames.length === 0 ? null : tensor.layout,
      })),
    );
  }
  return candidatesOf(caller, model).flatMap(({ paths, tensor, list }) =>
    paths.map((path) => ({ key: joinPath(path, tensor), list, layout: null })),
  );
}

/** Moves indices as a layout moves the elements of its tensor. */
async function inTorch(
  caller: string,
  indices: Int32Array,
  shape: readonly number[],
  layout: Layout,
): Promise<Int32Array> {
  const moved = scoped(caller, () => layout.toTorch(tf.tensor(indices, [...shape], 'int32'))) as Tensor;
  try {
    return (await moved.data()) as Int32Array;
  } finally {
    moved.dispose();
  }
}
