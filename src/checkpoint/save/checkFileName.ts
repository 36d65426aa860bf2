import { CheckpointError, quoted } from '../checkpointError.ts';

/**
 * Refuses the extension of a torch file for a safetensors file, which `torch.load` cannot read.
 *
 * @param what - the name of the argument, for messages
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
