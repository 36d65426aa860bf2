import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { candidatesOf } from '../../model/select/candidate.ts';
import { tieOf } from '../../nn/module/normalizedTensor.ts';
import { FakeQuantize } from '../../parametrizations/fakeQuantize.ts';
import type { ParametrizationList } from '../../parametrize/chain/parametrizationList.ts';
import { registrationOf } from '../../parametrize/chain/registry.ts';

/** The last map of a chain that quantizes, or of the chain that the tensor is tied to; null if there is none. */
export function quantizerIn(list: ParametrizationList | null | undefined): FakeQuantize | null {
  const tie = tieOf(list ?? null);
  const steps = tie === undefined ? (list ?? []) : (registrationOf(tie.host, tie.name)?.list ?? []);
  return [...steps].filter((one): one is FakeQuantize => one instanceof FakeQuantize).at(-1) ?? null;
}

/** The scales and zero points of a map, read from the device. */
export interface ReadGrid {
  readonly map: FakeQuantize;
  readonly scale: Float32Array;
  readonly zeroPoint: Int32Array;
}

/** The name of the elements with one scale. */
export function schemeOf({ dim, groupSize }: FakeQuantize): 'perTensor' | 'perChannel' | 'perGroup' {
  if (groupSize !== undefined) return 'perGroup';
  return dim.length === 0 ? 'perTensor' : 'perChannel';
}

/** Tensors with the grid of each map, which {@link readGrids} reads: of the caller. */
export type GridTensors = ReadonlyMap<FakeQuantize, { readonly scale: Tensor; readonly zeroPoint: Tensor }>;

/**
 * Copies the grids of all maps of a model.
 *
 * @remarks
 * **Ownership**: the tensors belong to the caller.
 */
export function gridTensors(caller: string, model: object): GridTensors {
  const grids = new Map<FakeQuantize, { scale: Tensor; zeroPoint: Tensor }>();
  for (const { list } of candidatesOf(caller, model)) {
    const map = quantizerIn(list);
    if (map !== null && !grids.has(map))
      grids.set(
        map,
        tf.tidy(() => map.currentGrid()),
      );
  }
  return grids;
}

/** Reads the scales and zero points of maps from the device. */
export async function readGrids(tensors: GridTensors): Promise<Map<FakeQuantize, ReadGrid>> {
  const grids = new Map<FakeQuantize, ReadGrid>();
  for (const [map, { scale, zeroPoint }] of tensors) {
    grids.set(map, {
      map,
      scale: (await scale.data()) as Float32Array,
      zeroPoint: Int32Array.from(await zeroPoint.data()),
    });
  }
  return grids;
}
