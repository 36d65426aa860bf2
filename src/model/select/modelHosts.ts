import { refusal } from '../../core/errors.ts';
import { joinPath } from '../../core/paths.ts';
import { typeName } from '../../core/text.ts';
import { isModule } from '../../nn/module/fields.ts';
import { checkIntegrity } from '../../nn/module/integrityCheck.ts';
import { rawOf } from '../../nn/module/rawOf.ts';
import { ParametrizationDict } from '../../parametrize/chain/parametrizationDict.ts';
import type { HostKind } from '../../parametrize/host/hostKind.ts';
import { hostKindOf } from '../../parametrize/host/objectHost.ts';

/** An object of a model that may hold tensors. */
export interface ModelHost {
  readonly host: object;
  readonly kind: HostKind;
  /** Every path of it, in the order of the fields: a shared module has several. */
  readonly paths: readonly string[];
  /** Its class. */
  readonly type: string;
  /**
   * The tensor that a catalog function takes when it is given no name; null if the host has none, or several to
   * choose from.
   */
  readonly mainTensor: string | null;
}

/**
 * The largest number of paths that one module may have; modules that share modules that share modules have very many.
 */
const maxPaths = 1_000;

/**
 * The objects of a model that may hold tensors: the model itself and all below it, but nothing inside of
 * parametrizations. Each stands there once, with all its paths.
 *
 * @throws {@link ParametrizeError} `LIMIT`
 */
export function modelHosts(caller: string, model: object): ModelHost[] {
  const pathsOf = new Map<object, string[]>();
  const walk = (given: object, path: string): void => {
    const host = rawOf(given);
    if (host instanceof ParametrizationDict) return;
    const paths = pathsOf.get(host);
    if (paths === undefined) {
      checkIntegrity(host);
      pathsOf.set(host, [path]);
    } else {
      paths.push(path);
      if (paths.length > maxPaths) {
        throw refusal(
          'LIMIT',
          caller,
          `${typeName(host)} '${paths[0]}' has more than ${maxPaths} paths in the model`,
          'Pass the part of the model that holds it.',
        );
      }
    }
    for (const [name, child] of childrenOf(host)) walk(child, joinPath(path, name));
  };
  walk(model, '');
  return [...pathsOf].map(([host, paths]): ModelHost => {
    const kind = hostKindOf(host);
    return { host, kind, paths, type: hostTypeOf(host), mainTensor: mainTensorOf(kind, host) };
  });
}

const childrenOf = (host: object): readonly [name: string, child: object][] =>
  isModule(host) ? host.namedChildren() : (hostKindOf(host).children?.(host) ?? []);

/**
 * The class of a host: that of tf.layers, else a static `className`, which no minifier changes, else the name of the
 * class.
 */
export function hostTypeOf(host: object): string {
  const { getClassName } = host as { getClassName?: unknown };
  if (typeof getClassName === 'function') return String(getClassName.call(host));
  const { className } = host.constructor as { className?: unknown };
  return typeof className === 'string' ? className : typeName(host);
}

function mainTensorOf(kind: HostKind, host: object): string | null {
  const own = new Set(kind.tensors(host).map(([name]) => name));
  const main = own.size === 0 ? null : kind.mainTensor(host);
  return main !== null && own.has(main) ? main : null;
}
