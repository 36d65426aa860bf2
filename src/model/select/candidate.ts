import type { DataType, Variable } from '@tensorflow/tfjs-core';
import { joinPath } from '../../core/paths.ts';
import { typeName } from '../../core/text.ts';
import { tieOf } from '../../nn/module/normalizedTensor.ts';
import type { ParametrizationList } from '../../parametrize/chain/parametrizationList.ts';
import { registrationOf } from '../../parametrize/chain/registry.ts';
import type { ParametrizationLike } from '../../parametrize/parametrization.ts';
import { type ModelHost, modelHosts } from './modelHosts.ts';

/** A tensor of a model that a rule or a selector looks at. Nothing is evaluated to make one. */
export interface Candidate {
  /** The module, layer or object that holds the tensor. */
  readonly host: object;
  /** The path of the host in the model by which it was matched; empty for the model itself. */
  readonly path: string;
  /** Every path of the host: a shared module has several. */
  readonly paths: readonly string[];
  /** The name of the tensor in the host. */
  readonly tensor: string;
  /** The class of the host: `Linear`, `Dense`. */
  readonly type: string;
  /** The shape of the tensor. */
  readonly shape: readonly number[];
  /** The dtype of the tensor. */
  readonly dtype: DataType;
  /** The parametrizations that are registered on it, in order. */
  readonly registered: readonly ParametrizationLike[];
}

/** A candidate with what verbs need of it. */
export interface FoundCandidate extends Candidate {
  /** The number of the tensor in the model. */
  readonly index: number;
  /** The chain on the tensor, or null. */
  readonly list: ParametrizationList | null;
  /** The variable of a tensor that is not parametrized, else null. */
  readonly variable: Variable | null;
  /** True if `tensor` is the main weight of the host. */
  readonly isMain: boolean;
  /** The reason why rules leave the tensor as it is, if the chain does not tell; absent if there is none. */
  readonly closed?: string;
}

/**
 * Every tensor of a model, in the order of its modules and their fields.
 *
 * @throws {@link ParametrizeError} `LIMIT`
 */
export const candidatesOf = (caller: string, model: object): FoundCandidate[] =>
  modelHosts(caller, model)
    .flatMap((host) => host.kind.tensors(host.host).map((tensor) => [host, tensor] as const))
    .map(([host, [tensor, variable]], index) => candidateOf(host, tensor, variable, index));

/** Makes the candidate of a tensor. */
export function candidateOf(
  { host, paths, type, mainTensor }: Omit<ModelHost, 'kind'>,
  tensor: string,
  variable: Variable | null,
  index: number,
): FoundCandidate {
  const list = registrationOf(host, tensor)?.list ?? null;
  const { shape, dtype } = list ?? variable!;
  return {
    index,
    host,
    path: paths[0]!,
    paths,
    tensor,
    type,
    shape: [...shape],
    dtype,
    registered: list === null ? [] : [...list],
    list,
    variable,
    isMain: tensor === mainTensor,
  };
}

/** The path of a candidate's tensor: `encoder.0.weight`. */
export const tensorPath = ({ path, tensor }: Candidate): string => joinPath(path, tensor);

/**
 * Returns the path of the tensor that a tensor is tied to, or the label of that tensor if it is outside of the model.
 * Returns null for a tensor that is not tied.
 */
export function tiedPath(candidates: readonly Candidate[], list: ParametrizationList | null): string | null {
  const tie = tieOf(list);
  if (tie === undefined) return null;
  const source = candidates.find(({ host, tensor }) => host === tie.host && tensor === tie.name);
  return source === undefined ? `${typeName(tie.host)}.${tie.name}` : tensorPath(source);
}
