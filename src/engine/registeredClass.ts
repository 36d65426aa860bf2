import * as tf from '@tensorflow/tfjs-core';

/**
 * The prototype of a class that tfjs or tfjs-layers has registered to load what was saved; undefined if there is none.
 */
export const registeredPrototype = (className: string): object | undefined =>
  tf.serialization?.SerializationMap?.getMap?.().classNameMap[className]?.[0]?.prototype as
    | object
    | undefined;
