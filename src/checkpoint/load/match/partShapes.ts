import type { StatePart } from '../../../stateDict/modelState.ts';
import { withLevel } from './storedModules.ts';

/** The shapes of a part in torch, by its names without the level. */
export const shapesOf = ({ tensors }: StatePart): Map<string, readonly number[]> =>
  new Map(
    tensors.flatMap(({ torchNames, layout }) =>
      torchNames.map((name) => [withLevel(name, ''), layout!.torchShape] as const),
    ),
  );
