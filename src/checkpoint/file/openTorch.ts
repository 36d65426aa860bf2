import type { ParametrizeError } from '../../core/errors.ts';
import { parseTorch } from '../formats/torch/parseTorch.ts';
import { checkTorchOptions, type TorchOptions } from '../formats/torch/torchOptions.ts';
import type { CheckpointSource, OpenOptions } from '../source/byteSource.ts';
import { checkOpening, openingOptions } from './checkOpening.ts';
import { type CheckpointFile, openFile } from './checkpointFile.ts';

/**
 * Opens a file of `torch.save` and reads its structure; the tensors are read one by one, so that the file may be larger
 * than memory. What `readTorch` refuses is refused here too, but for tensors that tfjs cannot hold: they are listed.
 *
 * @remarks
 * **Ownership**: close the file; its tensors are the caller's.
 *
 * @param source - bytes, a `Blob` or `File`, a `Response`, a URL (only the wanted parts are loaded where the server
 * sends ranges), or a path in Node.js
 * @throws {@link CheckpointError} for everything that is wrong with the file
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
