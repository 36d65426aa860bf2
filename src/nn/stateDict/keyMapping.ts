import { knownHookKeys } from './hookKeys.ts';

/** One step in loading tensors of a state dict. */
export type KeyAction = SimpleAction | FoldAction | LayoutAction | OtherAction;

/** A step without further fields. */
interface SimpleAction {
  /**
   * `rename`: only the key changed. `sum`: two tensors were added. `repeat`: one number, or one for each channel, was
   * repeated. `invert`: the right inverse of a parametrization made its originals.
   */
  readonly kind: 'rename' | 'sum' | 'repeat' | 'invert';
}

/** The value was computed from its parts. */
interface FoldAction {
  /** The kind of the step. */
  readonly kind: 'fold';
  /** The parametrization whose formula was used: `weightNorm`. */
  readonly by: string;
}

/** The elements were moved to another layout. */
interface LayoutAction {
  /** The kind of the step. */
  readonly kind: 'layout';
  /** `transpose` moves the elements; `reshape` keeps their order in memory; `none` changes nothing. */
  readonly change: 'transpose' | 'reshape' | 'none';
  /** The names of the axes in the state dict. */
  readonly from: string;
  /** The names of the axes in the model. */
  readonly to: string;
}

/** A step of a hook that a program registered. */
interface OtherAction {
  /** The kind of the step. */
  readonly kind: 'other';
  /** The step in a few words. */
  readonly text: string;
}

/** A key mapping of `loadStateDict`: keys of the map, the corresponding keys of the module, and the actions. */
export interface KeyMapping {
  /** The keys in the map. */
  readonly from: readonly string[];
  /** The keys of the module. */
  readonly to: readonly string[];
  /** The actions, in order; empty for a tensor that was loaded unchanged. */
  readonly actions: readonly KeyAction[];
}

/** True if the weight was computed from the parts of a normalization. */
export const isFold = ({ actions }: Pick<KeyMapping, 'actions'>): boolean =>
  actions.some(({ kind }) => kind === 'fold') && !actions.some(({ kind }) => kind === 'invert');

/** Describes the actions in a few words: `g · v / ‖v‖, transposed [out, in] → [in, out]`. */
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
