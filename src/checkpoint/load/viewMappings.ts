import type { NamedTensorMap } from '@tensorflow/tfjs-core';
import { isFold, type KeyAction, type KeyMapping } from '../../nn/stateDict/keyMapping.ts';
import { vectorsOf } from '../../stateDict/normalizationAlike.ts';
import type { TorchView, ViewTensor } from '../../stateDict/torchView.ts';
import { goesThroughInverse } from '../../stateDict/viewWrites.ts';
import { isBroadcast } from './match/storedModules.ts';
import type { Selection } from './selectState.ts';

/** The mappings of a report. */
interface Mappings {
  readonly mapped: readonly KeyMapping[];
  readonly folded: readonly KeyMapping[];
}

/**
 * The mappings from names in the file to the tensors of a model, with the changes of layout.
 *
 * @param mapped - what the state dict of the view reports
 * @param tensors - what was read, by the keys of the selection
 */
export function mappingsOf(
  { tensors: all }: TorchView,
  { keys }: Selection,
  mapped: readonly KeyMapping[],
  unexpected: readonly string[],
  tensors: NamedTensorMap,
): Mappings {
  const ofKey = new Map(
    all.flatMap((tensor) => [...tensor.paths.keys()].map((key) => [key, tensor] as const)),
  );
  const explained = new Set([...mapped.flatMap(({ from }) => from), ...unexpected]);
  const direct = [...keys.keys()].filter((key) => !explained.has(key));
  const rows = [...direct.map((key): KeyMapping => ({ from: [key], to: [key], actions: [] })), ...mapped];
  // Summed tensors come in rows of their own; their model has one.
  const merged = new Map<unknown, KeyMapping>();
  for (const row of rows) {
    const tensor = ofKey.get(row.to[0]!);
    const isSum = (tensor?.tensor.torchNames.length ?? 0) > 1;
    const before = isSum ? merged.get(tensor) : undefined;
    const from = [...(before?.from ?? []), ...row.from];
    merged.set(isSum ? tensor : row, { from, to: row.to, actions: row.actions });
  }
  const reported = [...merged.values()].map(({ from, to, actions }) => {
    const tensor = ofKey.get(to[0]!);
    const targets = new Set(to.map((key) => ofKey.get(key)?.paths.get(key) ?? key));
    return {
      isFolded: isFold({ actions }),
      mapping: {
        from: from.map((key) => keys.get(key) ?? key),
        to: [...targets],
        actions: tensor === undefined ? actions : actionsOf(actions, from, to, tensor, tensors),
      },
    };
  });
  return {
    mapped: reported.map(({ mapping }) => mapping),
    folded: reported.filter(({ isFolded }) => isFolded).map(({ mapping }) => mapping),
  };
}

function actionsOf(
  actions: readonly KeyAction[],
  from: readonly string[],
  to: readonly string[],
  viewed: ViewTensor,
  tensors: NamedTensorMap,
): KeyAction[] {
  const { tensor, mode } = viewed;
  const { layout, torchNames } = tensor;
  const vectors = vectorsOf(tensor.host, tensor.name);
  const isVector = to.every((key) => vectors.some((part) => key.endsWith(`.${part}`)));
  const isRepeated =
    tensor.isBroadcast === true &&
    from.some((key) => tensors[key] && isBroadcast(tensors[key].shape, layout!.torchShape));
  const isMoved = !mode.startsWith('native') && layout !== null && !isVector;
  const move = isMoved ? layout.action() : null;
  return [
    ...actions,
    ...(torchNames.length > 1 && from.length > 1 ? [{ kind: 'sum' } as const] : []),
    ...(move === null ? [] : [move]),
    ...(isRepeated ? [{ kind: 'repeat' } as const] : []),
    ...(goesThroughInverse(viewed) ? [{ kind: 'invert' } as const] : []),
  ];
}
