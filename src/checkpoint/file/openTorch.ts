import type { ParametrizeError } from '../../core/errors.ts';
import { parseTorch } from '../formats/torch/parseTorch.ts';
import { checkTorchOptions, type TorchOptions } from '../formats/torch/torchOptions.ts';
import type { CheckpointSource, OpenOptions } from '../source/byteSource.ts';
import { checkOpening, openingOptions } from './checkOpening.ts';
import { type CheckpointFile, openFile } from './checkpointFile.ts';

/**
 * Opens a file of `torch.save` and reads its structure. The tensors are read one by one, so the file may be larger than
 * the memory. It refuses the same files as `readTorch`, but lists tensors that tfjs cannot hold.
 *
 * @remarks
 * **Ownership**: close the file; its tensors belong to the caller.
 *
 * @param source - bytes, a `Blob` or `File`, a `Response`, a URL (if the server supports ranges, only the wanted parts
 * are loaded), or a path in Node.js
 * @throws {@link CheckpointError} `NOT_A_CHECKPOINT`, `CORRUPT`, `UNSAFE`, `UNREADABLE` and the other codes of files
 * @throws {@link ParametrizeError} `OPTION`
 */
export async function openTorch(
  source: CheckpointSource,
  options: OpenOptions & TorchOptions = {},
): Promise<CheckpointFile> {
  checkOpening('openTorch', options, [...openingOptions, 'checkCrc']);
  checkTorchOptions('openTorch', options);
  const { checkCrc = false, ...opening } = options;
  return openFile('openTorch', source, opening, (size) => parseTorch(size, { checkCrc }));
}
