import { CheckpointError, quoted } from '../checkpointError.ts';

/**
 * Refuses the name of a torch file for a file that will be safetensors: `torch.load` could not read it.
 *
 * @param what - what the caller calls it
 * @throws {@link CheckpointError} `OPTION`
 */
export function checkFileName(what: string, path: string): void {
  if (!/\.(pt|pth|ckpt|bin)$/i.test(path)) return;
  throw new CheckpointError(
    'OPTION',
    `${what} is ${quoted(path)}, and safetensors is what is written; torch reads it with safetensors.torch.load_file`,
    'Call it .safetensors.',
  );
}
