import type { Variable } from '@tensorflow/tfjs-core';
import { checkBoolean, checkOptions } from '../core/checkOptions.ts';
import { typeName } from '../core/text.ts';
import { isBuffer } from '../nn/module/parameter.ts';
import { rawOf } from '../nn/module/rawOf.ts';
import { declaredBy } from '../parametrize/chain/declared.ts';
import type { ParametrizationList } from '../parametrize/chain/parametrizationList.ts';
import { registrationsOf } from '../parametrize/chain/registry.ts';
import { hostKindOf } from '../parametrize/host/objectHost.ts';
import { hostsOf } from '../stateDict/hostsOf.ts';
import type { RecipeStep } from '../stateDict/recipe.ts';
import { stepsOn } from '../stateDict/tensorRecipes.ts';
import { checkModel } from './checkModel.ts';
import { bytesOf, countOf, type ElementCount } from './countOf.ts';
import { descriptionHTML, descriptionText } from './descriptionTable.ts';
import { stepText } from './rules/stepText.ts';
import { candidatesOf, type FoundCandidate, tiedPath } from './select/candidate.ts';

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
}

/** Options of {@link describe}. */
export interface DescribeOptions {
  /** True if the tensors that are not parametrized are listed too. Default false. */
  readonly unparametrized?: boolean;
}

/**
 * Lists the parametrized tensors of a model with their chains, and the totals of the model. Nothing is evaluated.
 *
 * @param model - a module, a layer or model of tf.layers, or an object that holds parametrized tensors
 * @param options - `unparametrized: true` also lists the other tensors
 * @returns the rows; as a text, tables
 * @throws {@link ParametrizeError} `UNSUPPORTED_HOST` if the model is not an object; `OPTION`; `LIMIT` for a module
 * with more than 1,000 paths
 * @example
 * ```ts
 * console.log(String(describe(model)));
 * ```
 */
export function describe(model: object, options: DescribeOptions = {}): Description {
  const caller = 'describe';
  checkModel(caller, model);
  checkOptions(caller, options, ['unparametrized']);
  const { unparametrized: isListed = false } = options;
  checkBoolean(caller, 'unparametrized', isListed);
  const candidates = candidatesOf(caller, model);
  const pathsOf = new Map(candidates.map(({ host, paths }) => [host, paths]));
  const rows = hostsOf(model).flatMap(([path, host]) =>
    [...registrationsOf(host)].map(([tensor, { list }]): DescribedTensor => {
      const { shape, reads, evaluations } = list;
      const tied = tiedPath(candidates, list);
      return {
        path,
        paths: pathsOf.get(rawOf(host)) ?? [path],
        host: typeName(host),
        tensor,
        shape,
        chain: tied === null ? [...list].map(stepText) : [`tied to ${tied}`],
        steps: tied === null ? stepsOn(list).map(({ step }) => step) : [],
        tiedTo: tied,
        declaredBy: list.steps.map(declaredBy),
        originals: list.originalNames.map((name) => ({ name, ...originalOf(list, name) })),
        parameters: countOf(list.parameters()),
        bytes: bytesOf(originalVariablesOf(list)),
        reads,
        evaluations,
      };
    }),
  );
  const plain = isListed ? candidates.flatMap(plainTensor) : [];
  const data: DescriptionData = { rows, unparametrized: plain, totals: totalsOf(candidates) };
  return {
    ...data,
    toString: () => descriptionText(data),
    toJSON: () => data,
    toHTML: () => descriptionHTML(data),
  };
}

function originalOf(
  list: ParametrizationList,
  name: string,
): { shape: readonly number[]; trainable: boolean } {
  const nested = registrationsOf(list).get(name)?.list;
  if (nested !== undefined) {
    return {
      shape: nested.shape,
      trainable: nested.ownVariables().some(({ trainable }) => trainable),
    };
  }
  const { shape, trainable } = variableOf(list, name);
  return { shape, trainable };
}

const variableOf = (list: ParametrizationList, name: string): Variable =>
  (list as unknown as Record<string, Variable>)[name]!;

/** Returns the variables of the originals; for an original that is parametrized itself, those of its own originals. */
function originalVariablesOf(list: ParametrizationList): Variable[] {
  const inner = registrationsOf(list);
  return list.originalNames.flatMap((name) => {
    const nested = inner.get(name)?.list;
    return nested === undefined ? [variableOf(list, name)] : originalVariablesOf(nested);
  });
}

const isBufferOf = ({ host, tensor }: FoundCandidate, variable: Variable): boolean =>
  isBuffer(variable) || hostKindOf(host).isBuffer?.(host, tensor) === true;

function plainTensor(candidate: FoundCandidate): PlainTensor[] {
  const { variable, path, paths, type, tensor, shape } = candidate;
  if (variable === null) return [];
  const { trainable } = variable;
  const isBuffered = isBufferOf(candidate, variable);
  return [
    { path, paths, host: type, tensor, shape, isBuffer: isBuffered, trainable, bytes: bytesOf([variable]) },
  ];
}

function totalsOf(candidates: readonly FoundCandidate[]): DescribedTotals {
  const parameters = new Set<Variable>();
  const buffers = new Set<Variable>();
  for (const candidate of candidates) {
    const { list, variable } = candidate;
    if (variable !== null) (isBufferOf(candidate, variable) ? buffers : parameters).add(variable);
    for (const one of list?.parameters() ?? []) parameters.add(one);
    for (const one of list?.buffers() ?? []) buffers.add(one);
  }
  return {
    tensors: candidates.length,
    parametrized: candidates.filter(({ list }) => list !== null).length,
    parameters: countOf([...parameters]),
    bytes: bytesOf([...new Set([...parameters, ...buffers])]),
  };
}
