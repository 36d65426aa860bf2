import { CheckpointError } from '../../../checkpoint/checkpointError.ts';
import { type CheckpointSource, openSource } from '../../../checkpoint/source/byteSource.ts';
import { isNode, makeNodeFolder, pathOf, writeNodeFile } from '../../../checkpoint/source/nodeFile.ts';

/** The names of the files of an adapter. */
export const files = {
  model: 'adapter_model.safetensors',
  torch: 'adapter_model.bin',
  config: 'adapter_config.json',
} as const;

/**
 * The target of an adapter: the path of a folder in Node.js, which is made; or a function that gets the name and the
 * bytes of each file.
 */
export type AdapterTarget = string | URL | ((name: string, bytes: Uint8Array) => void | Promise<void>);

/** The source of an adapter: a folder, by its path in Node.js or its URL; or the file of its tensors. */
export type AdapterSource = CheckpointSource;

/** Returns the function that writes the files of an adapter. Throws at once for an invalid target. */
export function adapterWriter(
  target: AdapterTarget,
): (contents: ReadonlyMap<string, Uint8Array>) => Promise<void> {
  if (typeof target === 'function') {
    return async (contents) => {
      for (const [name, bytes] of contents) await target(name, bytes);
    };
  }
  const path = typeof target === 'string' || target instanceof URL ? pathOf(target) : null;
  if (path === null || !isNode()) {
    throw new CheckpointError(
      'OPTION',
      'the target is none that can be written',
      'Pass the path of a folder (in Node.js), or a function (name, bytes) => ….',
    );
  }
  if (/\.(safetensors|bin|json|pt)$/i.test(String(path))) {
    throw new CheckpointError(
      'OPTION',
      'the target is a file, and an adapter has two',
      'Pass the path of a folder.',
    );
  }
  return async (contents) => {
    await makeNodeFolder(path);
    for (const [name, bytes] of contents) await writeNodeFile(inFolder(path, name), [bytes]);
  };
}

/** The files of an adapter. */
export interface FoundFiles {
  /** The sources of the tensors, of which the first that can be read counts. */
  readonly models: readonly CheckpointSource[];
  /** The source of the config; null if only the caller can have it. */
  readonly config: CheckpointSource | null;
}

/** Finds the files of an adapter. */
export function adapterFilesAt(source: AdapterSource): FoundFiles {
  if (typeof source !== 'string' && !(source instanceof URL)) return { models: [source], config: null };
  const text = String(source).replace(/[?#].*$/s, '');
  if (/\.(safetensors|bin|pt|pth)$/i.test(text)) {
    const folder = text.replace(/[^/\\]*$/, '') || '.';
    return {
      models: [source],
      config: inFolder(source instanceof URL ? new URL('.', source) : folder, files.config),
    };
  }
  return {
    models: [inFolder(source, files.model), inFolder(source, files.torch)],
    config: inFolder(source, files.config),
  };
}

function inFolder(folder: string | URL, name: string): string | URL {
  if (folder instanceof URL)
    return new URL(name, folder.href.endsWith('/') ? folder.href : `${folder.href}/`);
  return `${folder.replace(/[/\\]$/, '')}/${name}`;
}

/** Reads a small text. */
export async function readText(source: CheckpointSource): Promise<string> {
  const bytes = await openSource(source);
  try {
    return new TextDecoder().decode(await bytes.read({ offset: 0, length: bytes.size }));
  } finally {
    await bytes.close();
  }
}
