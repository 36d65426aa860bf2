import * as tf from '@tensorflow/tfjs-core';

/** What was there at the worst moment, over what was there before. */
export interface Peak {
  readonly tensors: number;
  readonly bytes: number;
}

interface Tracking {
  trackTensor(tensor: tf.Tensor, backend: unknown): void;
}

/** Calls a function and counts the tensors that are alive at once; the bytes of those that share their numbers once only. */
export function peakOf(fn: () => void): Peak {
  const engine = tf.engine();
  const { numTensors, tensorInfo } = engine.state;
  const peak = { tensors: 0, bytes: 0 };
  const made = new Set<object>();
  // Called for every new tensor, also an alias of another.
  const { trackTensor } = engine as unknown as Tracking;
  (engine as unknown as Tracking).trackTensor = (tensor, backend) => {
    const isNew = !tensorInfo.has(tensor.dataId);
    trackTensor.call(engine, tensor, backend);
    if (isNew) made.add(tensor.dataId);
    let bytes = 0;
    for (const dataId of made) {
      const info = tensorInfo.get(dataId);
      if (info === undefined) made.delete(dataId);
      else bytes += info.bytes;
    }
    peak.bytes = Math.max(peak.bytes, bytes);
    peak.tensors = Math.max(peak.tensors, engine.state.numTensors - numTensors);
  };
  try {
    fn();
  } finally {
    // Back to that of the class.
    Reflect.deleteProperty(engine, 'trackTensor');
  }
  return peak;
}
