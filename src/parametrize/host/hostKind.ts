import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import { rawOf } from '../../nn/module/rawOf.ts';
import type { Attachment } from '../chain/attachment.ts';

/** Makes the attachment of a found tensor instead of the host's own. */
export type AttachmentFactory = (found: FoundTensor) => Attachment;

/** A tensor of a host that is not parametrized, found by {@link HostKind.find}. */
export interface FoundTensor {
  /** The variable in the field. */
  readonly variable: Variable;
  readonly attachment: Attachment;
}

/** The output of a linear map or a convolution, before its activation. */
export interface PreActivation {
  /** The axis of the outputs, for an output of this rank. */
  axis(rank: number): number;
  /**
   * Replaces the output, until the returned function is called.
   *
   * @param change - makes the new output of the old one
   */
  replace(change: (output: Tensor) => Tensor): () => void;
}

/** A kind of object whose tensors can be parametrized. `tfjs-parametrize/layers` adds one. */
export interface HostKind {
  /** True if the object has this kind. The kind that was registered last is asked first. */
  accepts(host: object): boolean;
  /** The mode of parametrizations on hosts without a field `training`, except while a host computes. */
  readonly training?: boolean;
  /** Returns the tensor that a catalog function uses without a name. */
  mainTensor(host: object): string;
  /**
   * Finds a tensor that is not parametrized.
   *
   * @param caller - the public function, for messages
   * @throws `UNKNOWN_TENSOR`, `NOT_A_VARIABLE`, `IMMUTABLE_HOST`, `UNSUPPORTED_HOST`, …
   */
  find(caller: string, host: object, name: string): FoundTensor;
  /**
   * Prepares a field for a tensor that the host lacks.
   *
   * @throws the errors of {@link find}
   */
  add(caller: string, host: object, name: string): Attachment;
  /**
   * Throws if the object cannot hold a chain.
   *
   * @throws `UNSUPPORTED_HOST`, `DISPOSED`, `TWO_COPIES`
   */
  check(caller: string, host: object): void;
  /**
   * Returns the axes of a tensor that number the outputs of the host, the default of `dim`. Without it, the axis is 0,
   * as in torch.
   */
  outputAxes?(host: object, name: string, rank: number): readonly number[];
  /** Returns the axes of a tensor that number the features of the host. Without it, the output axis of a module. */
  featureAxes?(host: object, name: string, rank: number): readonly number[];
  /**
   * Returns the object below a host that has the tensor of a path, such as `cell.kernel`, and the name of the tensor
   * there.
   */
  locate?(host: object, path: string): [owner: object, name: string];
  /**
   * Postpones a registration if the host has not made the tensor yet.
   *
   * @param register - called as soon as the tensor exists
   * @returns true if the registration was postponed
   * @throws `UNKNOWN_TENSOR` for a name that the host will never have
   */
  postpone?(caller: string, host: object, name: string, register: () => void): boolean;
  /**
   * Returns the names of the tensors of a host in field order, with their variables; null for a parametrized tensor.
   */
  tensors(host: object): readonly (readonly [name: string, variable: Variable | null])[];
  /** Returns the variable of a tensor that is not parametrized. Without it, the variable is in the field. */
  plain?(host: object, name: string): Variable | undefined;
  /**
   * Shows another tensor in the place of a tensor that is not parametrized. Without it, the field is redefined.
   *
   * @param refuse - called for assignments
   * @returns a function that undoes this
   */
  show?(host: object, name: string, tensor: Tensor, refuse: () => never): () => void;
  /** Makes a compiled model train its current variables. Absent if the kind has no compiled models. */
  sync?(caller: string, model: object): void;
  /** Returns the hosts directly below a host, with their names in paths. */
  children?(host: object): [name: string, child: object][];
  /** True for a tensor that is never trained, besides those of `nn.buffer`. */
  isBuffer?(host: object, name: string): boolean;
  /** Told when a variable of the host was frozen, or is trained again. */
  trained?(host: object, variable: Variable, trainable: boolean): void;
  /** The output of a host before its activation; null if it is no linear map or convolution. */
  preActivation?(host: object): PreActivation | null;
  /** Runs a model once on inputs, in evaluation. */
  run?(model: object, inputs: readonly Tensor[]): unknown;
  /** Returns the trainable variables of a host and of all hosts below it, each once. */
  parameters?(host: object): readonly Variable[];
}

const addedKinds: HostKind[] = [];

/** Adds a kind of host to modules and plain objects. */
export function registerHostKind(kind: HostKind): void {
  addedKinds.unshift(kind);
}

/** Returns the added kind of a host, or undefined. */
export const addedHostKindOf = (host: object): HostKind | undefined =>
  addedKinds.find((kind) => kind.accepts(host));

/** Returns the object that has the tensor of a path, and the name of the tensor there. Most hosts know no paths. */
export const locate = (
  kind: HostKind | undefined,
  host: object,
  path: string,
): [owner: object, name: string] => kind?.locate?.(host, path) ?? [rawOf(host), path];

/** Returns the mode of the parametrizations of a host; undefined if the host has no mode. */
export function modeOf(host: object, { training: usual }: HostKind): boolean | undefined {
  const { training = usual } = host as { training?: unknown };
  return typeof training === 'boolean' ? training : undefined;
}
