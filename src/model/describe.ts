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
import { stepsOn } from '../stateDict/tensorRecipes.ts';
import { checkModel } from './checkModel.ts';
import { bytesOf, countOf } from './countOf.ts';
import type {
  DescribedTensor,
  DescribedTotals,
  Description,
  DescriptionData,
  HTMLOptions,
  PlainTensor,
} from './description.ts';
import { descriptionHTML, descriptionText } from './descriptionTable.ts';
import { outputNorms } from './outputNorms.ts';
import { stepText } from './rules/stepText.ts';
import { candidatesOf, type FoundCandidate, tiedPath } from './select/candidate.ts';

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
    toHTML: ((given?: HTMLOptions) => htmlOf(model, data, given)) as Description['toHTML'],
  };
}

function htmlOf(
  model: object,
  data: DescriptionData,
  options: HTMLOptions | undefined,
): string | Promise<string> {
  if (options === undefined) return descriptionHTML(data);
  const caller = 'toHTML';
  checkOptions(caller, options, ['norms']);
  checkBoolean(caller, 'norms', options.norms);
  if (!options.norms) return Promise.resolve(descriptionHTML(data));
  return htmlWithNorms(caller, model, data);
}

async function htmlWithNorms(caller: string, model: object, data: DescriptionData): Promise<string> {
  const hosts = new Map(hostsOf(model));
  const places = data.rows.map(({ path, tensor }) => ({ host: hosts.get(path)!, tensor }));
  return descriptionHTML(data, await outputNorms(caller, places));
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
