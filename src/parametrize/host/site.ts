import type { Tensor } from '@tensorflow/tfjs-core';
import { refusal } from '../../core/errors.ts';
import { typeName } from '../../core/text.ts';
import { hasBackend } from '../../engine/backend.ts';
import { keepTensorsUnwrapped } from '../../engine/variable.ts';
import { checkIntegrity } from '../../nn/module/integrityCheck.ts';
import { featureAxis } from '../../nn/module/outputAxis.ts';
import { type Registration, registrationOf } from '../chain/registry.ts';
import { type FoundTensor, type HostKind, locate, modeOf } from './hostKind.ts';
import { hostKindOf } from './objectHost.ts';

/** One tensor of one host, resolved once. Registering functions take it instead of a host and a name. */
export class Site {
  /** The kind of the owner. */
  readonly kind: HostKind;
  /** The object that holds the tensor itself. */
  readonly owner: object;
  readonly name: string;
  /** The registration on the tensor, or undefined. */
  readonly registration: Registration | undefined;
  private found: FoundTensor | null = null;

  constructor(kind: HostKind, owner: object, name: string) {
    this.kind = kind;
    this.owner = owner;
    this.name = name;
    this.registration = registrationOf(owner, name);
  }

  /** The name of the tensor in messages: `Linear.weight`. */
  get label(): string {
    return `${typeName(this.owner)}.${this.name}`;
  }

  /** The mode of the parametrizations of the owner; undefined if the owner has no mode. */
  get mode(): boolean | undefined {
    return modeOf(this.owner, this.kind);
  }

  /**
   * Returns the variable and the attachment of a tensor that is not parametrized.
   *
   * @throws the errors of {@link HostKind.find}
   */
  find(caller: string): FoundTensor {
    this.found ??= this.kind.find(caller, this.owner, this.name);
    return this.found;
  }

  /** Returns the value of the tensor, parametrized or not, without the side effects of a read. */
  inspect(caller: string): Tensor {
    return this.registration?.list.inspect() ?? this.find(caller).variable;
  }

  /** Returns the axes of the tensor that number the features that the owner computes. */
  featureAxes(rank: number): readonly number[] {
    return this.kind.featureAxes?.(this.owner, this.name, rank) ?? [featureAxis(this.owner, rank)];
  }

  /** Returns the axes of the tensor that number the outputs of the owner, or null if the kind does not define them. */
  outputAxes(rank: number): readonly number[] | null {
    return this.kind.outputAxes?.(this.owner, this.name, rank) ?? null;
  }
}

/** Replaces a path: the tensor that a catalog function uses without a name. */
export const MAIN: unique symbol = Symbol('main tensor');

/**
 * Resolves the tensor of a path and passes it to `use`, now or as soon as the host has made the tensor.
 *
 * @param path - the name of the tensor, or a path to it if the host has paths; {@link MAIN} for the main tensor of the
 * host
 * @throws {@link ParametrizeError} `UNSUPPORTED_HOST`, `NO_BACKEND`, `INVALID_NAME`; the errors of `use`, if it runs
 * now
 */
export function atSite(
  caller: string,
  host: unknown,
  path: string | typeof MAIN,
  use: (site: Site) => void,
): void {
  checkHost(caller, host);
  const kind = hostKindOf(host);
  const wanted = path === MAIN ? kind.mainTensor(host) : path;
  checkName(caller, wanted);
  const [owner, name, ownerKind] = ownerOf(kind, host, wanted);
  const resolve = (): void => use(new Site(ownerKind, owner, name));
  if (ownerKind.postpone?.(caller, owner, name, resolve) !== true) resolve();
}

/** Resolves the tensor of a path as it is now. It needs no backend, and the host may have no such tensor. */
export function siteOf(host: object, path: string): Site {
  checkIntegrity(host);
  const [owner, name, kind] = ownerOf(hostKindOf(host), host, path);
  return new Site(kind, owner, name);
}

/** The object that has the tensor of a path, the name there, and the kind of the object; most hosts know no paths. */
function ownerOf(kind: HostKind, host: object, path: string): [owner: object, name: string, kind: HostKind] {
  const [owner, name] = locate(kind, host, path);
  return [owner, name, owner === host || kind.locate === undefined ? kind : hostKindOf(owner)];
}

function checkHost(caller: string, host: unknown): asserts host is object {
  keepTensorsUnwrapped();
  if (typeof host !== 'object' || host === null) {
    throw refusal(
      'UNSUPPORTED_HOST',
      caller,
      `${typeName(host)} cannot be parametrized`,
      'Pass a module or an object that holds a tf.Variable.',
    );
  }
  if (!hasBackend()) {
    throw refusal(
      'NO_BACKEND',
      caller,
      'tfjs has no backend',
      "Add: import '@tensorflow/tfjs'; or a @tensorflow/tfjs-backend-… package.",
    );
  }
}

function checkName(caller: string, name: unknown): void {
  if (typeof name === 'string') return;
  throw refusal('INVALID_NAME', caller, `the tensor name is ${typeName(name)}, expected a string`);
}
