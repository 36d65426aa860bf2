import * as tf from '@tensorflow/tfjs-core';

/** Returns the prototype of a class that tfjs or tfjs-layers has registered for serialization, or undefined. */
export const registeredPrototype = (className: string): object | undefined =>
  tf.serialization?.SerializationMap?.getMap?.().classNameMap[className]?.[0]?.prototype as
    | object
    | undefined;
