import { knownHookKeys } from './hookKeys.ts';

/** One step of what was done to tensors of a state dict to load them. */
export type KeyAction =
  /** The key only was changed. */
  | { readonly kind: 'rename' }
  /** The value was computed of its parts, by the formula of a parametrization: `weightNorm`. */
  | { readonly kind: 'fold'; readonly by: string }
  /** Its elements were brought to another layout: `from` and `to` name the axes; `reshape` keeps their order in memory. */
  | {
      readonly kind: 'layout';
      readonly change: 'transpose' | 'reshape' | 'none';
      readonly from: string;
      readonly to: string;
    }
  /** Two tensors were added. */
  | { readonly kind: 'sum' }
  /** One number, or one for each channel, was repeated. */
  | { readonly kind: 'repeat' }
  /** The right inverse of a parametrization made its originals. */
  | { readonly kind: 'invert' }
  /** What a hook of somebody's own did, in a few words. */
  | { readonly kind: 'other'; readonly text: string };

/** What one key mapping of `loadStateDict` did: which keys of the map became which keys of the module, and how. */
export interface KeyMapping {
  /** Keys as they were in the map. */
  readonly from: readonly string[];
  /** Keys of the module that they were loaded into. */
  readonly to: readonly string[];
  /** What was done, in this order; empty for what was taken as it is. */
  readonly actions: readonly KeyAction[];
}

/** Whether the weight was computed of the parts of a normalization. */
export const isFold = ({ actions }: Pick<KeyMapping, 'actions'>): boolean =>
  actions.some(({ kind }) => kind === 'fold') && !actions.some(({ kind }) => kind === 'invert');

/** What was done, in a few words: `g · v / ‖v‖, transposed [out, in] → [in, out]`. */
export const mappingText = ({ actions }: Pick<KeyMapping, 'actions'>): string =>
  actions.map(actionText).join(', ') || 'as it is';

function actionText(action: KeyAction, position: number): string {
  switch (action.kind) {
    case 'rename':
      return 'renamed';
    case 'fold':
      return knownHookKeys().find(({ kind }) => kind === action.by)?.rule ?? action.by;
    case 'layout': {
      const how = ({ transpose: 'transposed', reshape: 'reshaped', none: 'as it is' } as const)[
        action.change
      ];
      return `${how} ${action.from} → ${action.to}`;
    }
    case 'sum':
      return 'summed';
    case 'repeat':
      return 'repeated';
    case 'invert':
      return position === 0 ? 'through the right inverse' : 'then the right inverse';
    case 'other':
      return action.text;
  }
}
