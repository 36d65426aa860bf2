import type { io } from '@tensorflow/tfjs-core';
import { CheckpointError, quoted } from '../../checkpoint/checkpointError.ts';
import { checkFileName } from '../../checkpoint/save/checkFileName.ts';
import type { CheckpointTarget } from '../../checkpoint/save/saveCheckpoint.ts';
import { saveHandlerFor } from '../../checkpoint/source/ioHandler.ts';
import { isIOHandler } from '../../checkpoint/source/ioScheme.ts';
import { isNode, makeNodeFolder, pathOf, writeNodeFile } from '../../checkpoint/source/nodeFile.ts';

/** The format of a file, and the function that writes it. */
export type QuantizationTarget =
  | { readonly format: 'safetensors'; write(bytes: Uint8Array<ArrayBuffer>): Promise<void> }
  | { readonly format: 'tfjs'; save(artifacts: io.ModelArtifacts): Promise<void> };

/**
 * Returns what writes to a target.
 *
 * @param isLayersModel - true for a model of tf.layers, which tfjs can save in its own format
 * @throws {@link CheckpointError} `OPTION` for a target that is none
 */
export function quantizationTarget(target: CheckpointTarget, isLayersModel: boolean): QuantizationTarget {
  if (typeof WritableStream === 'function' && target instanceof WritableStream) {
    return {
      format: 'safetensors',
      async write(bytes) {
        const writer = target.getWriter();
        await writer.write(bytes);
        await writer.close();
      },
    };
  }
  const path = typeof target === 'string' || target instanceof URL ? pathOf(target) : null;
  const isJson = path !== null && /\.json$/i.test(String(path));
  const isFile = path !== null && isNode();
  if (isFile && isJson) {
    if (isLayersModel) return { format: 'tfjs', save: (artifacts) => writeModelJson(path, artifacts) };
    throw new CheckpointError(
      'OPTION',
      `the target is ${quoted(String(path))}, and only models of tf.layers have a model.json`,
      'Call it .safetensors.',
    );
  }
  if (isFile && (!isLayersModel || /\.safetensors$/i.test(String(path)))) {
    checkFileName('the target', String(path));
    return { format: 'safetensors', write: (bytes) => writeNodeFile(path, [bytes]) };
  }
  if (typeof target !== 'string' && !isIOHandler(target)) {
    throw new CheckpointError(
      'OPTION',
      'the target is none that can be written',
      'Pass a path (in Node.js), a stream, an IOHandler or a URL of tf.io.',
    );
  }
  const handler = typeof target === 'string' ? saveHandlerFor(target) : target;
  if (handler.save === undefined) {
    throw new CheckpointError('OPTION', 'this IOHandler cannot save', 'Pass one with a save method.');
  }
  const save = async (artifacts: io.ModelArtifacts): Promise<void> => void (await handler.save!(artifacts));
  if (isLayersModel) return { format: 'tfjs', save };
  return {
    format: 'safetensors',
    write: (bytes) =>
      save({
        // Some handlers refuse to load artifacts without a topology.
        modelTopology: { class_name: 'QuantizedStateDict', config: {} },
        format: 'safetensors',
        generatedBy: 'tfjs-parametrize',
        weightSpecs: [],
        weightData: bytes.buffer,
      }),
  };
}

/** Writes the two files of a model: `NAME.json`, and beside it `NAME.weights.bin`. */
async function writeModelJson(
  path: string | URL,
  { weightSpecs, weightData, ...model }: io.ModelArtifacts,
): Promise<void> {
  const text = String(path);
  const [folder = '', name = ''] = [text.replace(/[^/\\]*$/, ''), text.replace(/^.*[/\\]/, '')];
  const weights = `${name.replace(/\.json$/i, '')}.weights.bin`;
  const at = (file: string): string | URL => (path instanceof URL ? new URL(file, path) : folder + file);
  const json = JSON.stringify({ ...model, weightsManifest: [{ paths: [weights], weights: weightSpecs }] });
  if (folder !== '') await makeNodeFolder(path instanceof URL ? new URL('.', path) : folder);
  // The text that names the weights comes last, so that it never names a part of them.
  await writeNodeFile(at(weights), [new Uint8Array(weightData as ArrayBuffer)]);
  await writeNodeFile(path, [new TextEncoder().encode(json)]);
}
