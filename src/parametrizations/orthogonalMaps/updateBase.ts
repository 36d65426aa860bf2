import * as tf from '@tensorflow/tfjs-core';
import { refusal } from '../../core/errors.ts';
import { registrationAt } from '../../parametrize/host/registrationAt.ts';
import { atSite, MAIN } from '../../parametrize/host/site.ts';
import type { ParametrizationLike } from '../../parametrize/parametrization.ts';
import { Parametrization } from '../../parametrize/parametrization.ts';

const caller = 'updateBase';

/**
 * Moves the base of a map to the current value of the tensor, as an assignment of the value to itself: for
 * {@link orthogonal}, `base ← W` and `X ← −I`. The value stays the same.
 *
 * The gradient of a map that rotates a base is best near the base. Call it every few hundred steps if training moves
 * the tensor far.
 *
 * @remarks
 * **State**: the originals and bases of the whole chain. The moments of an optimizer belong to the old originals: an
 * optimizer with momentum goes on in the old direction for some steps.
 *
 * @param host - a module, a layer of tf.layers, or an object that holds a `tf.Variable`
 * @param name - the tensor; undefined for the main weight of the host
 * @returns the host
 * @throws {@link ParametrizeError} `NOT_PARAMETRIZED`; `UNSUPPORTED` if no map of the tensor has a base;
 * `RIGHT_INVERSE` if another map of the chain has no right inverse. Nothing has changed then.
 * @example
 * ```ts
 * if (step % 200 === 0) updateBase(rnn, 'weight_hh_l0');
 * ```
 * @see Lezcano-Casado 2019, arXiv:1909.09501
 */
export function updateBase<H extends object>(host: H, name?: string): H {
  let isDone = false;
  atSite(caller, host, name ?? MAIN, (site) => {
    const { list } = registrationAt(caller, site);
    if (![...list].some(hasBase)) {
      throw refusal(
        'UNSUPPORTED',
        caller,
        `no map of ${site.label} has a base: ${[...list].map(String).join(', ')}`,
        'Register a map with one, such as orthogonal with useTrivialization.',
      );
    }
    tf.tidy(() => list.assign(list.read()));
    isDone = true;
  });
  if (isDone) return host;
  throw refusal(
    'UNSUPPORTED',
    caller,
    `the host has no ${name ?? 'weight'} yet`,
    'Build the layer first, for example by model.build() or layer.apply(input).',
  );
}

/** True if a map has a buffer that it rotates. */
const hasBase = (map: ParametrizationLike): boolean =>
  map instanceof Parametrization && map.namedBuffers().some(([name]) => name === 'base');
