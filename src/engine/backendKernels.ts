import * as tf from '@tensorflow/tfjs-core';

/**
 * Makes the kernels of a computation for one backend.
 *
 * @throws Error with the reason, if the backend lacks something that the kernels need
 */
type MakeKernels<Kernels> = (backend: tf.KernelBackend) => Kernels;

/** A maker for each backend, by its name in tfjs; null where the bundler has left the kernels out. */
type Makers<Kernels> = Readonly<Record<string, MakeKernels<Kernels> | null>>;

/**
 * Makes a function that returns the kernels of a computation for the backend in use, or null if that backend has none.
 *
 * The kernels are made on first use, once for each backend. If that fails, the debug console says so once.
 *
 * @param name - the name of the computation
 */
export function kernelsByBackend<Kernels>(name: string, makers: Makers<Kernels>): () => Kernels | null {
  const kernelsOf = new WeakMap<tf.KernelBackend, Kernels | null>();
  return () => {
    const backend = tf.backend();
    let kernels = kernelsOf.get(backend);
    if (kernels === undefined) {
      kernels = makeOrExplain(name, backend, makers);
      kernelsOf.set(backend, kernels);
    }
    return kernels;
  };
}

function makeOrExplain<Kernels>(
  name: string,
  backend: tf.KernelBackend,
  makers: Makers<Kernels>,
): Kernels | null {
  const backendName = tf.getBackend();
  if (!Object.hasOwn(makers, backendName)) return null;
  const explain = (reason: string): null => {
    console.debug(`tfjs-parametrize: ${name} on ${backendName} is composed of tfjs operations: ${reason}`);
    return null;
  };
  const make = makers[backendName];
  if (make == null) {
    return explain(
      `__TFJS_PARAMETRIZE_${backendName.toUpperCase()}__ is false in the configuration of the bundler`,
    );
  }
  try {
    return make(backend);
  } catch (error) {
    return explain(error instanceof Error ? error.message : String(error));
  }
}
