import * as tf from '@tensorflow/tfjs-core';
import { formatShape } from '../../core/shapes.ts';
import { checkRoom } from '../checkRoom.ts';
import { type AnyDefinition, definitionOf } from '../definition.ts';
import type { Site } from '../host/site.ts';

/** The `copies` of a map without `copies` in its definition. */
const DEFAULT_COPIES = 4;

/**
 * Throws unless the backend in use has room for a registration and a gradient of the value. Computes and changes
 * nothing.
 *
 * A chain counts as the sum of its maps, because a gradient holds the values between them.
 *
 * @param definition - the definition of the map, if it has one
 * @throws {@link ParametrizeError} `OUT_OF_MEMORY`; the errors of {@link Site.find}
 */
export function checkRegistrationRoom(
  caller: string,
  site: Site,
  definition: AnyDefinition | undefined,
): void {
  const list = site.registration?.list;
  const { shape, dtype } = list ?? site.find(caller).variable;
  const there = (list?.steps ?? []).map(({ registered }) => definitionOf(registered));
  const copies = [...there, definition].reduce((sum, map) => sum + (map?.copies ?? DEFAULT_COPIES), 0);
  checkRoom(
    caller,
    copies * tf.util.sizeFromShape([...shape]) * (dtype === 'complex64' ? 8 : 4),
    `${site.label} of shape ${formatShape(shape)}, parametrized and with a gradient,`,
    'Dispose tensors that are not needed, or use another backend.',
  );
}
