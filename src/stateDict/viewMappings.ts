import type { NamedTensorMap } from '@tensorflow/tfjs-core';
import type { LoadStateDictReport } from '../nn/module/hooks.ts';
import { isFold, type KeyAction, type KeyMapping } from '../nn/stateDict/keyMapping.ts';
import type { TiedKeys } from '../nn/stateDict/tiedKeys.ts';
import { isBroadcast } from './isBroadcast.ts';
import { vectorsOf } from './normalizationAlike.ts';
import type { LoadedTensor } from './stateView.ts';
import type { TorchView, ViewTensor } from './torchView.ts';
import { unmapped } from './unmapped.ts';
import { goesThroughInverse } from './viewWrites.ts';

/**
 * The mappings from keys of a state dict to the tensors of a model, with the changes of layout.
 *
 * @param report - the report of the state dict of the view
 * @param tensors - the state dict
 * @param ties - the keys of tied tensors
 */
export function viewMappings(
  { tensors: all }: TorchView,
  report: LoadStateDictReport,
  tensors: NamedTensorMap,
  ties: TiedKeys,
): LoadedTensor[] {
  const ofKey = new Map(
    all.flatMap((tensor) => [...tensor.paths.keys()].map((key) => [key, tensor] as const)),
  );
  const rows = [...unmapped(tensors, report, ties), ...report.mapped];
  // Summed tensors have separate rows here. The model has one tensor for them.
  const merged = new Map<unknown, KeyMapping>();
  for (const row of rows) {
    const tensor = ofKey.get(row.to[0]!);
    const isSum = (tensor?.tensor.torchNames.length ?? 0) > 1;
    const before = isSum ? merged.get(tensor) : undefined;
    const from = [...(before?.from ?? []), ...row.from];
    merged.set(isSum ? tensor : row, { from, to: row.to, actions: row.actions });
  }
  return [...merged.values()].map(({ from, to, actions }) => {
    const tensor = ofKey.get(to[0]!);
    // The value had another layout than that of its target.
    const isConverted = from.some((key) => ties.sourceOf(key) !== ties.firstOf(key));
    const targets = new Set(to.map((key) => ofKey.get(key)?.paths.get(key) ?? key));
    return {
      from,
      to: [...targets],
      actions: tensor === undefined ? actions : actionsOf(actions, from, to, tensor, tensors, isConverted),
      isFolded: isFold({ actions }),
    };
  });
}

function actionsOf(
  actions: readonly KeyAction[],
  from: readonly string[],
  to: readonly string[],
  viewed: ViewTensor,
  tensors: NamedTensorMap,
  isConverted: boolean,
): KeyAction[] {
  const { tensor, mode } = viewed;
  const { layout, torchNames } = tensor;
  const vectors = vectorsOf(tensor.host, tensor.name);
  const isVector = to.every((key) => vectors.some((part) => key.endsWith(`.${part}`)));
  const isRepeated =
    tensor.isBroadcast === true &&
    from.some((key) => tensors[key] && isBroadcast(tensors[key].shape, layout!.torchShape));
  const isMoved = !isConverted && !mode.startsWith('native') && layout !== null && !isVector;
  const move = isMoved ? layout.action() : null;
  return [
    ...actions,
    ...(torchNames.length > 1 && from.length > 1 ? [{ kind: 'sum' } as const] : []),
    ...(move === null ? [] : [move]),
    ...(isRepeated ? [{ kind: 'repeat' } as const] : []),
    ...(goesThroughInverse(viewed) ? [{ kind: 'invert' } as const] : []),
  ];
}
