import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import { refusal } from '../../core/errors.ts';
import { formatShape } from '../../core/shapes.ts';
import { isVariable } from '../../engine/variable.ts';
import { ConvNd } from '../../nn/convolution/convNd.ts';
import { Linear } from '../../nn/linear/linear.ts';
import { outputAxis } from '../../nn/module/outputAxis.ts';
import type { PreActivation } from '../../parametrize/host/hostKind.ts';
import { hostKindOf } from '../../parametrize/host/objectHost.ts';
import { type FoundCandidate, tensorPath } from '../select/candidate.ts';
import { unmatchedSelector } from '../select/parameterSelector.ts';
import { select } from '../select/select.ts';
import type { Selector } from '../select/selector.ts';

/** A weight-normalized layer. */
export interface NormedLayer {
  readonly path: string;
  /** One norm for each output, or its logarithm. */
  readonly g: Variable;
  readonly isLog: boolean;
  readonly bias: { read(): Tensor; write(value: Tensor): void } | null;
  /** Its output before the activation. */
  readonly output: PreActivation;
}

/**
 * The weight-normalized layers of a selector; of an empty one all.
 *
 * @throws {@link ParametrizeError} `NOT_PARAMETRIZED`, `OPTION`, `UNSUPPORTED`, `UNMATCHED_RULE`, `PATTERN`
 */
export function normedLayers(
  caller: string,
  candidates: readonly FoundCandidate[],
  selector: Selector,
): NormedLayer[] {
  const isEmpty = Object.values(selector).every((condition) => condition === undefined);
  const wanted = isEmpty
    ? candidates.filter((candidate) => normsOf(candidate) !== undefined)
    : selectedBy(caller, candidates, selector);
  const plain = wanted.find((candidate) => normsOf(candidate) === undefined);
  if (wanted.length === 0 || plain !== undefined) {
    throw refusal(
      'NOT_PARAMETRIZED',
      caller,
      plain === undefined
        ? 'no tensor of the model is weight-normalized'
        : `'${tensorPath(plain)}' is not weight-normalized`,
      'Call weightNorm(layer) first.',
    );
  }
  return wanted.map((candidate) => normedLayer(caller, candidates, candidate));
}

function selectedBy(
  caller: string,
  candidates: readonly FoundCandidate[],
  selector: Selector,
): readonly FoundCandidate[] {
  const { selected, unmatched } = select(caller, candidates, selector, 'main');
  if (unmatched.length > 0) throw unmatchedSelector(caller, unmatched);
  return selected;
}

/** g of a weight-normalized tensor, or s, its logarithm. */
const normsOf = ({ list }: FoundCandidate): unknown =>
  list?.steps[0]?.originalNames[0] === 'g' ? list.g : isLogScaled(list) ? list!.s : undefined;

const isLogScaled = (list: FoundCandidate['list']): boolean =>
  String(list?.steps[0]?.originalNames) === 's,v';

function normedLayer(
  caller: string,
  candidates: readonly FoundCandidate[],
  candidate: FoundCandidate,
): NormedLayer {
  const { host, path, list, shape, tensor, type } = candidate;
  const label = tensorPath(candidate);
  const kind = hostKindOf(host);
  const output = kind.preActivation === undefined ? ofModule(host) : kind.preActivation(host);
  if (output === null || !candidate.isMain) {
    throw refusal(
      'UNSUPPORTED',
      caller,
      `'${label}' of ${type} is not the weight of a linear map or a convolution, whose outputs have norms of their own`,
      'Exclude it.',
    );
  }
  const g = normsOf(candidate);
  if (!isVariable(g) || list!.length > 1) {
    throw refusal(
      'UNSUPPORTED',
      caller,
      `'${label}' has ${isVariable(g) ? `${list!.length} parametrizations` : 'a parametrized g'}, so that the weight may not be linear in g`,
      'Initialize before you register the others, or exclude it.',
    );
  }
  const [axis = 0] = kind.outputAxes?.(host, tensor, shape.length) ?? [
    outputAxis(host, { rank: shape.length } as Tensor),
  ];
  const count = shape[axis]!;
  if (g.size !== count || (g.rank > 0 && g.shape[axis] !== count)) {
    throw refusal(
      'OPTION',
      caller,
      `'${label}' of shape ${formatShape(shape)} has outputs along axis ${axis}, but norms of shape ${formatShape(g.shape)}`,
      `Register it with one norm for each output: { dim: ${axis} }; or exclude it.`,
    );
  }
  const bias = candidates.find((other) => other.host === host && other.tensor === 'bias');
  return { path, g, isLog: isLogScaled(list), bias: bias === undefined ? null : biasOf(bias), output };
}

const biasOf = ({ list, variable }: FoundCandidate): NonNullable<NormedLayer['bias']> =>
  list === null
    ? { read: () => variable!, write: (value) => variable!.assign(value) }
    : { read: () => list.inspect(), write: (value) => list.assign(value) };

/** The output of a module: linear maps and convolutions have no activation. */
function ofModule(host: object): PreActivation | null {
  const isLinear = host instanceof Linear;
  if (!isLinear && !(host instanceof ConvNd)) return null;
  const positions = isLinear ? 0 : host.kernelSize.length;
  return {
    axis: (rank) => rank - 1 - positions,
    replace: (change) => {
      const { remove } = (host as Linear).registerForwardHook((_module, _inputs, y) => change(y as Tensor));
      return () => remove();
    },
  };
}
