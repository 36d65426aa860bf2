import type { Variable } from '@tensorflow/tfjs-core';
import type { Attachment } from '../chain/attachment.ts';

/** Makes the attachment of a found tensor in another way than the host's own. */
export type AttachmentFactory = (found: FoundTensor) => Attachment;

/** A tensor of a host that is not parametrized, found by {@link HostKind.find}. */
export interface FoundTensor {
  /** The variable that stands there. */
  readonly variable: Variable;
  readonly attachment: Attachment;
}

/** A kind of object whose tensors can be parametrized: the contract that `tfjs-parametrize/layers` joins. */
export interface HostKind {
  /** True if this kind is responsible for the object; the kind registered last is asked first. */
  accepts(host: object): boolean;
  /** The mode of parametrizations on hosts that have no field `training`, but while a host computes. */
  readonly training?: boolean;
  /** The tensor that a catalog function takes when it is given no name. */
  mainTensor(host: object): string;
  /**
   * Finds a tensor that is not parametrized.
   *
   * @param caller - the public function, for messages
   * @throws `UNKNOWN_TENSOR`, `NOT_A_VARIABLE`, `IMMUTABLE_HOST`, `UNSUPPORTED_HOST`, …
   */
  find(caller: string, host: object, name: string): FoundTensor;
  /**
   * Prepares a place for a tensor that the host lacks.
   *
   * @throws as {@link find}
   */
  add(caller: string, host: object, name: string): Attachment;
  /**
   * Throws if the object cannot hold a chain at all.
   *
   * @throws `UNSUPPORTED_HOST`, `DISPOSED`, `TWO_COPIES`
   */
  check(caller: string, host: object): void;
  /**
   * The axes of a tensor that number the outputs of the host: the default of `dim`. Absent: axis 0, torch's.
   */
  outputAxes?(host: object, name: string, rank: number): readonly number[];
  /** The object below a host that has the tensor of a path, such as `cell.kernel`, and its name there. */
  locate?(host: object, path: string): [owner: object, name: string];
  /**
   * Takes a registration over that the host cannot make yet, because it has not made the tensor.
   *
   * @param register - to be called as soon as the tensor is there
   * @returns whether it did
   * @throws `UNKNOWN_TENSOR` for a name that the host will never have
   */
  postpone?(caller: string, host: object, name: string, register: () => void): boolean;
  /** The names of the tensors of a host, in field order, each with its variable; null if it is parametrized. */
  tensors(host: object): readonly (readonly [name: string, variable: Variable | null])[];
  /** Lets a compiled model train the variables that it has now. Absent: the kind has no compiled models. */
  sync?(caller: string, model: object): void;
  /** The hosts directly below a host, with their names in paths. */
  children?(host: object): [name: string, child: object][];
  /** True for a tensor that is never trained, besides those of `nn.buffer`. */
  isBuffer?(host: object, name: string): boolean;
  /** Told when a variable of the host was frozen, or is trained again. */
  trained?(host: object, variable: Variable, trainable: boolean): void;
  /** The variables of a host and of all below it that are to be trained, each once. */
  parameters?(host: object): readonly Variable[];
}

const addedKinds: HostKind[] = [];

/** Adds a kind of host besides modules and plain objects. */
export function registerHostKind(kind: HostKind): void {
  addedKinds.unshift(kind);
}

/** The added kind that is responsible for a host, if one is. */
export const addedHostKindOf = (host: object): HostKind | undefined =>
  addedKinds.find((kind) => kind.accepts(host));

/** The mode that parametrizations get from their host; undefined if it has none. */
export function modeOf(host: object, { training: usual }: HostKind): boolean | undefined {
  const { training = usual } = host as { training?: unknown };
  return typeof training === 'boolean' ? training : undefined;
}
