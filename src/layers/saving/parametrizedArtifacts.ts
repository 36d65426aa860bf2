import type { io } from '@tensorflow/tfjs-core';
import { CheckpointError, corrupt, quoted } from '../../checkpoint/checkpointError.ts';
import { isRecord } from '../../core/guards.ts';
import { sizeOf } from '../../core/shapes.ts';
import type { TrainingConfig } from '../../engine/modelTraining.ts';

// Note [Parametrized artifacts]. The artifacts of a parametrized model are also those of a plain model: the topology,
// and the computed values under the plain names. `tf.loadLayersModel` loads that model. tfjs keeps weights of the group
// 'optimizer' apart, and ignores them in a model without a training configuration. So the originals and the state of
// the optimizer are in that group, and the training configuration is in the metadata.

/** The keys in the metadata, besides those of the recipe and of the optimizer. */
export const originalsKey = 'tfjs-parametrize.originals';
export const trainingKey = 'tfjs-parametrize.training';

/** Returns the name of the tensor of an original, by its number in the list of paths. */
export const nameOfOriginal = (number: number): string => `original/${number}`;

/** The types of weights, with their bytes. */
const bytesOf: Readonly<Record<string, number>> = { float32: 4, int32: 4, bool: 1 };

/** Checked artifacts. */
export interface CheckedArtifacts {
  readonly artifacts: io.ModelArtifacts;
  readonly metadata: Readonly<Record<string, string>>;
  /** The metadata that the program has set. */
  readonly userMetadata: Readonly<Record<string, unknown>>;
  readonly specs: io.WeightsManifestEntry[];
  readonly data: ArrayBuffer;
  /** The paths of the originals and of the state of parametrizations. */
  readonly originals: readonly string[];
  readonly trainingConfig: TrainingConfig | null;
}

/**
 * Checks the artifacts of a parametrized model, which may come from a file of somebody else.
 *
 * @throws {@link CheckpointError} `NOT_A_CHECKPOINT` for another model, `CORRUPT`
 */
export function checkedArtifacts(artifacts: unknown): CheckedArtifacts {
  if (!isRecord(artifacts) || !isRecord(artifacts['modelTopology'])) {
    throw corrupt('the artifacts have no topology of a model');
  }
  const {
    userDefinedMetadata: all = {},
    weightSpecs,
    weightData,
  } = artifacts as unknown as io.ModelArtifacts;
  if (!isRecord(all) || typeof all[originalsKey] !== 'string') {
    throw new CheckpointError(
      'NOT_A_CHECKPOINT',
      'this model was not saved by saveParametrizedModel',
      'Load it with tf.loadLayersModel.',
    );
  }
  const own = Object.entries(all).filter(([key]) => key.startsWith('tfjs-parametrize'));
  const metadata = Object.fromEntries(
    own.filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
  const originals = parsed(metadata[originalsKey]!, 'the list of originals');
  if (!Array.isArray(originals) || !Array.from(originals).every((path) => typeof path === 'string')) {
    throw corrupt('the list of originals has no paths');
  }
  const training = metadata[trainingKey];
  const trainingConfig = training === undefined ? null : parsed(training, 'the training configuration');
  if (trainingConfig !== null && !isRecord(trainingConfig)) {
    throw corrupt('the training configuration is not an object');
  }
  const data = joined(weightData);
  return {
    artifacts: artifacts as unknown as io.ModelArtifacts,
    metadata,
    userMetadata: Object.fromEntries(Object.entries(all).filter(([key]) => !(key in metadata))),
    specs: checkedSpecs(weightSpecs, data),
    data,
    originals,
    trainingConfig: trainingConfig as TrainingConfig | null,
  };
}

function parsed(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw corrupt(`${what} is not JSON`);
  }
}

function joined(data: unknown): ArrayBuffer {
  const parts: unknown[] = Array.isArray(data) ? data : [data];
  if (!parts.every((part) => part instanceof ArrayBuffer)) throw corrupt('the artifacts have no weights');
  return concatenated(parts);
}

/** Returns one buffer with the bytes of several. */
export function concatenated(parts: readonly ArrayBuffer[]): ArrayBuffer {
  if (parts.length === 1) return parts[0]!;
  const all = new Uint8Array(parts.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const part of parts) {
    all.set(new Uint8Array(part), at);
    at += part.byteLength;
  }
  return all.buffer;
}

/** Checks the types, shapes and names of the weights, which have to take up all bytes. */
function checkedSpecs(specs: unknown, data: ArrayBuffer): io.WeightsManifestEntry[] {
  if (!Array.isArray(specs)) throw corrupt('the artifacts list no weights');
  const names = new Set<string>();
  let bytes = 0;
  for (const spec of Array.from(specs) as unknown[]) {
    if (!isRecord(spec) || !isSpec(spec)) throw corrupt('a weight has no name, type or shape');
    if (names.has(spec.name)) throw corrupt(`the weight ${quoted(spec.name)} is there twice`);
    names.add(spec.name);
    bytes += sizeOf(spec.shape) * bytesOf[spec.dtype]!;
  }
  if (bytes !== data.byteLength) {
    throw corrupt(`the weights need ${bytes} bytes, and ${data.byteLength} are there`);
  }
  return specs as io.WeightsManifestEntry[];
}

const isSpec = (spec: Record<string, unknown>): spec is Record<string, unknown> & io.WeightsManifestEntry =>
  typeof spec['name'] === 'string' &&
  Object.hasOwn(bytesOf, String(spec['dtype'])) &&
  spec['quantization'] === undefined &&
  Array.isArray(spec['shape']) &&
  Array.from(spec['shape'] as unknown[]).every((size) => Number.isSafeInteger(size) && (size as number) >= 0);
