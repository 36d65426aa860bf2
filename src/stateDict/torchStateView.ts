import { joinPath } from '../core/paths.ts';
import type { KeyFormat } from '../nn/stateDict/keyFormat.ts';
import type { TiedKeys } from '../nn/stateDict/tiedKeys.ts';
import { loadTorchView } from './loadTorchView.ts';
import { partFinder } from './partFinder.ts';
import { stateSnapshot } from './stateSnapshot.ts';
import type { StateTensor } from './stateTensor.ts';
import type {
  LoadedState,
  SavedState,
  StateKind,
  StateLoading,
  StatePart,
  StateView,
  TorchState,
} from './stateView.ts';
import { TorchView } from './torchView.ts';
import { viewRecipe } from './viewRecipe.ts';

/** The state of a model that is not a module, in torch's names and layout. */
export class TorchStateView implements StateView {
  readonly type: string;
  readonly parts: readonly StatePart<StateTensor>[];
  readonly ties: TiedKeys;
  readonly notes: readonly string[];
  readonly areOrdered: StateView['areOrdered'];
  readonly matching = 'namesAndShapes';
  // torch counts batches; layers do not.
  readonly ignored = /(?:^|\.)num_batches_tracked$/;
  // Chains of layers have additional keys.
  readonly takesOtherKeys = true;
  readonly partOf: (key: string) => StatePart | undefined;
  private readonly state: TorchState;
  private readonly registered: () => void;

  /** @throws {@link ParametrizeError} `UNSUPPORTED_HOST`, `DISPOSED` */
  constructor(kind: StateKind, caller: string, model: object) {
    const state = kind.stateOf(caller, model);
    this.state = state;
    this.registered = () => kind.registered(caller, model);
    this.type = state.type;
    this.parts = state.parts;
    this.ties = state.ties;
    this.notes = state.notes;
    this.areOrdered = state.areOrdered;
    this.partOf = partFinder(
      state.parts.flatMap((part) =>
        part.tensors.flatMap(({ path, torchNames }) =>
          [path, ...torchNames.map((name) => joinPath(part.path, name))].map((key) => [key, part] as const),
        ),
      ),
    );
  }

  load(loading: StateLoading): LoadedState {
    return loadTorchView(this.state, loading, this.registered);
  }

  /** Copies the state, in one key format if one is given. */
  save(keyFormat: KeyFormat | undefined): SavedState {
    // A chain is saved in torch's form if torch can have it, else in the model's form.
    const view = new TorchView(this.state, (_tensor, _part, possible) =>
      keyFormat === 'folded' ? possible.at(-1)! : possible[0]!,
    );
    try {
      return { tensors: stateSnapshot(view.module, keyFormat), recipe: viewRecipe(view) };
    } finally {
      view.dispose();
    }
  }
}
