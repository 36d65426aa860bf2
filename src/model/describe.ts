import { ParametrizeError } from '../core/errors.ts';
import { joinPath } from '../core/paths.ts';
import { formatShape } from '../core/shapes.ts';
import { typeName } from '../core/text.ts';
import { textTable } from '../core/textTable.ts';
import { isModule } from '../nn/module/fields.ts';
import type { Module } from '../nn/module/module.ts';
import { declaredBy } from '../parametrize/chain/declared.ts';
import { registrationsOf } from '../parametrize/chain/registry.ts';
import { hostsOf } from '../stateDict/hostsOf.ts';
import { checkModel } from './checkModel.ts';

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
  /** The class of the host. */
  readonly host: string;
  /** The name of the tensor in the host. */
  readonly tensor: string;
  /** The shape of the computed tensor. */
  readonly shape: readonly number[];
  /** The parametrizations in the order of application: `WeightNorm(dim=0)`. */
  readonly chain: readonly string[];
  /** The field where a decorator declares each parametrization, such as `Net.weight`, or null. */
  readonly declaredBy: readonly (string | null)[];
  /** The variables that the tensor is computed from. */
  readonly originals: readonly DescribedOriginal[];
  /** The number of reads of the tensor. */
  readonly reads: number;
  /** The number of evaluations of the chain for those reads. */
  readonly evaluations: number;
}

/** The result of {@link describe}: rows, which print as a table. */
export interface Description {
  /** The rows, one for each parametrized tensor. */
  readonly rows: readonly DescribedTensor[];
  /** Returns the rows as a table. */
  toString(): string;
}

/**
 * Lists the parametrized tensors of a model with their chains. Nothing is evaluated.
 *
 * @param model - a module, or an object that holds parametrized tensors
 * @returns the rows; as a text, a table
 * @throws {@link ParametrizeError} `UNSUPPORTED_HOST` if the model is not an object
 * @example
 * ```ts
 * console.log(String(describe(model)));
 * ```
 */
export function describe(model: object): Description {
  checkModel('describe', model);
  const rows = hostsOf(model).flatMap(([path, host]) =>
    [...registrationsOf(host)].map(([tensor, { list }]): DescribedTensor => {
      const { shape, reads, evaluations } = list;
      return {
        path,
        host: typeName(host),
        tensor,
        shape,
        chain: [...list].map(stepText),
        declaredBy: list.steps.map(declaredBy),
        originals: list.originalNames.map((name) => ({ name, ...originalOf(list, name) })),
        reads,
        evaluations,
      };
    }),
  );
  return { rows, toString: () => tableOf(rows) };
}

function originalOf(list: Module, name: string): { shape: readonly number[]; trainable: boolean } {
  const nested = registrationsOf(list).get(name)?.list;
  if (nested !== undefined) {
    return {
      shape: nested.shape,
      trainable: nested.ownVariables().some(({ trainable }) => trainable),
    };
  }
  const { shape, trainable } = (list as unknown as Record<string, { shape: number[]; trainable: boolean }>)[
    name
  ]!;
  return { shape, trainable };
}

function stepText(registered: unknown): string {
  if (isModule(registered)) return registered.toString().split('\n')[0]!.replace(/\($/, '(…)');
  return typeof registered === 'function' ? registered.name || 'function' : 'object';
}

function tableOf(rows: readonly DescribedTensor[]): string {
  if (rows.length === 0) return 'nothing is parametrized';
  const cells = rows.map(
    ({ path, host, tensor, shape, chain, declaredBy, originals, reads, evaluations }) => [
      joinPath(path, tensor),
      host,
      formatShape(shape),
      chain.map((text, i) => (declaredBy[i] === null ? text : `@${text}`)).join(' → '),
      originals
        .map((original) => `${formatShape(original.shape)}${original.trainable ? '' : ' frozen'}`)
        .join(' '),
      String(reads),
      String(evaluations),
    ],
  );
  const head = ['tensor', 'host', 'shape', 'chain', 'originals', 'reads', 'evaluations'];
  return textTable([head, ...cells], (column) => column >= 5);
}
