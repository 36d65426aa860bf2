import type { ChainStep } from './chainStep.ts';
import type { TensorSpec } from './rightInverse.ts';

/** The name of an original: `original`, or `original0`, `original1`, … if there are several. */
export type OriginalName = 'original' | `original${number}`;

/** The parts of a list. */
export interface ListParts {
  /** The name of the tensor in messages: `Linear.weight`. */
  readonly label: string;
  /** The fields of the list that hold the originals, which may be parametrized themselves. */
  readonly originalNames: readonly OriginalName[];
  /** True if the variable of the host was trained at registration. Removal lets it train again. */
  readonly wasTrainable: boolean;
  /** If the first step decides what is trained: true if the original would be trained without it. Else undefined. */
  readonly trainableBelow?: boolean | undefined;
  readonly steps: readonly ChainStep[];
  /** The shape and dtype of the computed tensor. */
  readonly spec: TensorSpec;
}
