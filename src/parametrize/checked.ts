import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { refusal } from '../core/errors.ts';
import { formatShape } from '../core/shapes.ts';
import { scoped } from '../engine/scope.ts';
import { type CatalogFunction, makeDefined, type NoOptions } from './define.ts';
import { type AnyDefinition, checkedOptions, configOf, definitionOf, withDefaults } from './definition.ts';
import { atSite, MAIN, type Site } from './host/site.ts';
import { isInSet, type SetDefinition, type SetFunctions } from './setDefinition.ts';

const caller = 'checked';

/**
 * Registers a map of the catalog only if the value of the tensor belongs to the set of the map. Without the check, a
 * registration moves the value into the set.
 *
 * The call is asynchronous because it reads the value. If the value changes meanwhile, the call reads it again.
 *
 * @param host - a module, a layer of tf.layers, or an object that holds a `tf.Variable`
 * @param name - the tensor; undefined for the main weight of the host
 * @param map - a function of the catalog whose definition has a set
 * @param options - the options of the map
 * @returns the host
 * @throws {@link ParametrizeError} `NOT_IN_SET` if the value does not belong to the set; `UNSUPPORTED` if the map has
 * no set, or if the host has no weights yet; the errors of {@link registerParametrization}. Nothing changes then.
 * @example
 * ```ts
 * await checked(layer, 'weight', orthogonal); // refuses a weight that is not orthogonal
 * await checked(layer, 'weight', interval, { max: 2 });
 * ```
 */
export async function checked<H extends object, O extends object = NoOptions>(
  host: H,
  name: string | undefined,
  map: CatalogFunction<O> & SetFunctions<O>,
  options: O = {} as O,
): Promise<H> {
  const definition = definitionOf(map);
  if (definition?.set === undefined) {
    throw refusal(
      'UNSUPPORTED',
      caller,
      'the map does not define the set of its values',
      'Pass a function of the catalog, such as orthogonal, or one that defineParametrization has made with a set.',
    );
  }
  const given = checkedOptions(definition, definition.name, options as never);
  for (;;) {
    const reading = readingOf(host, name, definition, given);
    try {
      await checkInSet(reading, definition, definition.set);
    } finally {
      reading.value.dispose();
    }
    if (!isCurrent(reading)) continue;
    (map as (host: object, name: string | undefined, options: object) => unknown)(host, name, options);
    return host;
  }
}

/** A value with what it was computed from. */
interface Reading {
  readonly site: Site;
  /** A copy, which belongs to the reader. */
  readonly value: Tensor;
  /** The options of the map for the tensor. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly variables: readonly { readonly variable: tf.Variable; readonly dataId: object }[];
}

function readingOf(
  host: object,
  name: string | undefined,
  definition: AnyDefinition,
  options: Readonly<Record<string, unknown>>,
): Reading {
  let reading: Reading | undefined;
  atSite(caller, host, name ?? MAIN, (site) => {
    reading ??= scoped(caller, () => {
      const value = site.inspect(caller);
      const map = makeDefined(definition, value, site, options);
      const config = configOf(definition, map);
      map.dispose();
      const variables = variablesOf(site).map((variable) => ({ variable, dataId: variable.dataId }));
      return { site, value: tf.keep(tf.clone(value)), config, variables };
    });
  });
  if (reading !== undefined) return reading;
  throw refusal(
    'UNSUPPORTED',
    caller,
    `the host has no ${name ?? 'weight'} yet`,
    'Build the layer first, for example by model.build() or layer.apply(input).',
  );
}

const variablesOf = (site: Site): readonly tf.Variable[] =>
  site.registration?.list.ownVariables() ?? [site.find(caller).variable];

/** True if the value was not changed since. */
const isCurrent = ({ site, variables }: Reading): boolean => {
  const { owner, name } = site;
  let now: readonly tf.Variable[] = [];
  atSite(caller, owner, name, (current) => {
    now = variablesOf(current);
  });
  return (
    now.length === variables.length &&
    variables.every(({ variable, dataId }, i) => now[i] === variable && variable.dataId === dataId)
  );
};

async function checkInSet(
  { site, value, config }: Reading,
  definition: AnyDefinition,
  set: SetDefinition<Readonly<Record<string, unknown>>>,
): Promise<void> {
  if (await isInSet(caller, set, value, withDefaults(definition, config))) return;
  throw refusal(
    'NOT_IN_SET',
    caller,
    `${site.label} of shape ${formatShape(value.shape)} does not belong to the set of ${definition.name}`,
    `Assign a value of the set first, for example ${definition.name}.sample(shape), or call ${definition.name} without checked, which moves the value into the set.`,
  );
}
