import type { RecipeStep } from '../stateDict/recipe.ts';
import type { ElementCount } from './countOf.ts';

/** One original of a parametrized tensor. */
export interface DescribedOriginal {
  /** `original`, `original0`, … */
  readonly name: string;
  /** The shape of the original. */
  readonly shape: readonly number[];
  /** True if tfjs trains it. */
  readonly trainable: boolean;
}

/** One parametrized tensor of a model. */
export interface DescribedTensor {
  /** The path of the host in the model; empty for the model itself. */
  readonly path: string;
  /** Every path of the host: a shared module has several. */
  readonly paths: readonly string[];
  /** The class of the host. */
  readonly host: string;
  /** The name of the tensor in the host. */
  readonly tensor: string;
  /** The shape of the computed tensor. */
  readonly shape: readonly number[];
  /** The parametrizations in the order of application: `WeightNorm(dim=0)`. A tied tensor has `tied to PATH`. */
  readonly chain: readonly string[];
  /** The parametrizations as data, as {@link recipeOf} writes them. */
  readonly steps: readonly RecipeStep[];
  /** The path of the tensor that the tensor is tied to, or null; see {@link tie}. */
  readonly tiedTo: string | null;
  /** The field where a decorator declares each parametrization, such as `Net.weight`, or null. */
  readonly declaredBy: readonly (string | null)[];
  /** The variables that the tensor is computed from. */
  readonly originals: readonly DescribedOriginal[];
  /** The elements of the parameters of the chain: of the originals, and of the parametrizations. */
  readonly parameters: ElementCount;
  /** The bytes of the variables that are the originals. */
  readonly bytes: number;
  /** The number of reads of the tensor. */
  readonly reads: number;
  /** The number of evaluations of the chain for those reads. */
  readonly evaluations: number;
}

/** A tensor of a model that is not parametrized. */
export interface PlainTensor {
  /** The path of the host in the model; empty for the model itself. */
  readonly path: string;
  /** Every path of the host: a shared module has several. */
  readonly paths: readonly string[];
  /** The class of the host. */
  readonly host: string;
  /** The name of the tensor in the host. */
  readonly tensor: string;
  /** The shape of the tensor. */
  readonly shape: readonly number[];
  /** True for a buffer, which is no parameter. */
  readonly isBuffer: boolean;
  /** True if tfjs trains it. */
  readonly trainable: boolean;
  /** The bytes of the tensor. */
  readonly bytes: number;
}

/** The sums over a model. A variable that stands at several places counts once. */
export interface DescribedTotals {
  /** The number of tensors. */
  readonly tensors: number;
  /** The number of tensors that are parametrized. */
  readonly parametrized: number;
  /** The elements of all parameters. */
  readonly parameters: ElementCount;
  /** The bytes of all parameters and buffers. */
  readonly bytes: number;
}

/** A {@link Description} as plain data. */
export interface DescriptionData {
  /** See {@link Description.rows}. */
  readonly rows: readonly DescribedTensor[];
  /** See {@link Description.unparametrized}. */
  readonly unparametrized: readonly PlainTensor[];
  /** See {@link Description.totals}. */
  readonly totals: DescribedTotals;
}

/** The result of {@link describe}: rows, which print as a table. */
export interface Description {
  /** The rows, one for each parametrized tensor. */
  readonly rows: readonly DescribedTensor[];
  /** The other tensors, outside of chains; empty without the option `unparametrized`. */
  readonly unparametrized: readonly PlainTensor[];
  /** The sums over the model. */
  readonly totals: DescribedTotals;
  /** Returns the rows and the totals as tables. */
  toString(): string;
  /** Returns the description as plain data, for `JSON.stringify`. */
  toJSON(): DescriptionData;
  /** Returns the same as {@link toString} in HTML: a `div` that needs nothing else, with all texts escaped. */
  toHTML(): string;
  /**
   * Returns the HTML with a bar for the norm of each output of each parametrized matrix, as the model is now. Values
   * are computed for it, but no state moves.
   */
  toHTML(options: HTMLOptions): Promise<string>;
}

/** Options of {@link Description.toHTML}. */
export interface HTMLOptions {
  /** True for the bars. */
  readonly norms: true;
}
