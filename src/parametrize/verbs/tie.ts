import type { Variable } from '@tensorflow/tfjs-core';
import { checkBoolean, checkOptions } from '../../core/checkOptions.ts';
import { refusal } from '../../core/errors.ts';
import { formatShape } from '../../core/shapes.ts';
import { tieOf } from '../../nn/module/normalizedTensor.ts';
import { isBuffer } from '../../nn/module/parameter.ts';
import { tiedTensorKeys } from '../../nn/module/tiedTensorKeys.ts';
import { setTieState } from '../../nn/module/tieState.ts';
import { ParametrizationList } from '../chain/parametrizationList.ts';
import { announced, enterRegistration } from '../chain/registry.ts';
import { checkSpec } from '../chain/rightInverse.ts';
import { checkTied } from '../host/ownershipChecks.ts';
import { atSite, type Site } from '../host/site.ts';
import { TensorSource } from '../host/tensorSource.ts';
import { TiedList } from '../host/tiedList.ts';
import { Parametrization } from '../parametrization.ts';
import { keepKeyOrder, retireVariable, transaction, undoable } from '../transaction.ts';

/** Options of {@link tie}. */
export interface TieOptions {
  /** True if the tensor is the transpose of the source; both are matrices. Default false. */
  readonly transpose?: boolean;
}

const caller = 'tie';

/**
 * Ties a tensor to the tensor of another host. From then on, reading it gives the value of the source, and both train
 * together.
 *
 * `host[name] = source[sourceName]`, or its transpose. The source may be plain or parametrized, now or later. Its chain
 * is evaluated once for both readers, as far as reads of one tensor share a value.
 *
 * @remarks
 * **Shape**: that of the source, or its transpose.
 * **State**: the tensor has no variable: parameters and state dict have the source's alone. Only the key format
 * `folded` has both keys. `loadStateDict` takes either key, and both if the values are equal. Assigning to the tensor
 * writes to the source.
 * **Gradient**: to the originals of the source.
 * **Ownership**: the variable that the tensor had is disposed. A read is owned as a read of the source.
 * `removeParametrizations(host, name)` gives the tensor a variable of its own with the same value. {@link fold} makes
 * one variable for both, or for a transposed tensor a copy. {@link clone} keeps the tie inside of the copy; a copy
 * without the source reads the same source.
 *
 * On tf.layers, the weight leaves the lists of its layer. Call `syncModel` for a compiled model after the tie, and
 * after its removal.
 *
 * @param host - a module, a layer of tf.layers, or an object that holds variables
 * @param name - the tensor that is to be tied, which is not parametrized
 * @param source - the host of the source; it may be of another kind
 * @param sourceName - the name of the source; default `name`
 * @throws {@link ParametrizeError} `SHAPE`, `DTYPE`, `CYCLE` for a tensor and itself, `ALREADY_PARAMETRIZED`; `TIED` if
 * another field holds the variable; `UNSUPPORTED_HOST` for tensors inside of chains and for those of the hook API;
 * `UNKNOWN_TENSOR`, `NOT_A_VARIABLE`, `IMMUTABLE_HOST`, `DISPOSED`, `OPTION`. Nothing changes then.
 * @example
 * ```ts
 * tie(decoder, 'weight', embedding);
 * tie(dense, 'kernel', embeddingLayer, 'embeddings', { transpose: true });
 * ```
 */
export function tie(
  host: object,
  name: string,
  source: object,
  sourceName = name,
  options: TieOptions = {},
): void {
  checkOptions(caller, options, ['transpose']);
  const { transpose = false } = options;
  checkBoolean(caller, 'transpose', transpose);
  setTieState(tiedTensorKeys);
  atSite(caller, source, sourceName, (from) => {
    atSite(caller, host, name, (to) => planTie(to, from, transpose)());
  });
}

/**
 * Checks a tie as {@link tie} does, and changes nothing.
 *
 * @throws {@link ParametrizeError} the errors of {@link tie}
 */
export function checkTie(
  host: object,
  name: string,
  source: object,
  sourceName: string,
  transpose: boolean,
): void {
  atSite(caller, source, sourceName, (from) => {
    atSite(caller, host, name, (to) => {
      planTie(to, from, transpose);
    });
  });
}

/** Makes all checks of a tie, and returns the change. */
function planTie(to: Site, given: Site, transpose: boolean): () => void {
  checkPlace(to);
  checkPlace(given);
  const found = rootOf(given, transpose);
  const { source, isTransposed } = found;
  const there = to.registration && tieOf(to.registration.list);
  if (there?.host === source.host && there.name === source.name && there.isTransposed === isTransposed) {
    return () => {};
  }
  if (source.host === to.owner && source.name === to.name) {
    const fact = `${to.label} would be tied to itself`;
    throw refusal('CYCLE', caller, fact, 'Pass the tensor that it is to read.');
  }
  if (to.registration !== undefined) {
    const remedy = 'Call removeParametrizations on it first.';
    throw refusal('ALREADY_PARAMETRIZED', caller, `${to.label} is parametrized already`, remedy);
  }
  const { variable, attachment } = to.find(caller);
  const plain = source.list === null ? source.plain() : null;
  checkShapes(to, variable, source, isTransposed);
  const isOne = (plain as Variable | null) === variable;
  if (!isOne) checkTied(caller, to.owner, to.name, variable);
  return () => {
    const { owner, name, label, mode } = to;
    const { trainable: wasTrainable } = variable;
    const list = new TiedList({ label, source, isTransposed, wasTrainable, wasBuffer: isBuffer(variable) });
    list.training = mode ?? list.training;
    transaction(() => {
      keepKeyOrder(owner);
      announced(owner, () => {
        undoable(() => {
          list.clear();
          attachment.uninstall(list, variable);
        });
        attachment.install(list);
        if (!isOne) retireVariable(variable);
        const variableName = isOne ? undefined : variable.name;
        enterRegistration(owner, name, { list, attachment, variableName });
      });
    });
  };
}

/** Returns the source itself; for a tensor that is tied, its source. */
function rootOf(site: Site, transpose: boolean): { source: TensorSource; isTransposed: boolean } {
  const there = site.registration && tieOf(site.registration.list);
  if (there === undefined) {
    if (site.registration === undefined) site.find(caller);
    return { source: new TensorSource(site.owner, site.name), isTransposed: transpose };
  }
  return {
    source: new TensorSource(there.host, there.name),
    isTransposed: there.isTransposed !== transpose,
  };
}

/** Refuses tensors inside of chains, and those whose chain runs by other means. */
function checkPlace({ owner, label, registration }: Site): void {
  const closed = registration?.attachment.closed;
  if (closed !== undefined)
    throw refusal('UNSUPPORTED_HOST', caller, `${label} ${closed.fact}`, closed.remedy);
  if (!(owner instanceof ParametrizationList || owner instanceof Parametrization)) return;
  const fact = `${label} is a part of a chain`;
  throw refusal('UNSUPPORTED_HOST', caller, fact, 'Tie the tensor that the chain computes.');
}

function checkShapes(to: Site, variable: Variable, source: TensorSource, isTransposed: boolean): void {
  const { shape, dtype } = source;
  if (isTransposed && shape.length !== 2) {
    const fact = `${source.label} has shape ${formatShape(shape)}, and only a matrix can be transposed`;
    throw refusal('SHAPE', caller, fact, 'Leave transpose out.');
  }
  const wanted = { shape: isTransposed ? [...shape].reverse() : shape, dtype };
  const other = isTransposed ? 'the transpose of ' : '';
  checkSpec(caller, to.label, variable, wanted, `It would be ${other}${source.label}.`);
}
