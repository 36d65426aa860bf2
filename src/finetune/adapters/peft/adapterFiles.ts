import { CheckpointError } from '../../../checkpoint/checkpointError.ts';
import { type CheckpointSource, openSource } from '../../../checkpoint/source/byteSource.ts';
import { isNode, makeNodeFolder, pathOf, writeNodeFile } from '../../../checkpoint/source/nodeFile.ts';

/** The names of the files of an adapter. */
const files = {
  model: 'adapter_model.safetensors',
  torch: 'adapter_model.bin',
  config: 'adapter_config.json',
} as const;

/** The name of the config in the metadata of a single file. */
export const CONFIG_KEY = 'adapter_config';

/**
 * The target of an adapter: the path of a folder in Node.js, which is made; the path of one `.safetensors` file, which
 * has the config in its metadata; or a function that gets the name and the bytes of each file.
 */
export type AdapterTarget = string | URL | ((name: string, bytes: Uint8Array) => void | Promise<void>);

/** Writes the files of an adapter. */
export interface AdapterWriter {
  /** True if there is one file, with the config in its metadata. */
  readonly isSingleFile: boolean;
  write(tensors: Uint8Array, config: string): Promise<void>;
}

/** The source of an adapter: a folder, by its path in Node.js or its URL; or the file of its tensors. */
export type AdapterSource = CheckpointSource;

/** Returns the writer for a target. Throws at once for an invalid one. */
export function adapterWriter(target: AdapterTarget): AdapterWriter {
  if (typeof target === 'function') {
    return {
      isSingleFile: false,
      async write(tensors, config) {
        await target(files.config, new TextEncoder().encode(config));
        await target(files.model, tensors);
      },
    };
  }
  const path = typeof target === 'string' || target instanceof URL ? pathOf(target) : null;
  if (path === null || !isNode()) {
    throw new CheckpointError(
      'OPTION',
      'the target is none that can be written',
      'Pass the path of a folder or of a .safetensors file (in Node.js), or a function (name, bytes) => ….',
    );
  }
  if (/\.safetensors$/i.test(String(path))) {
    return { isSingleFile: true, write: (tensors) => writeNodeFile(path, [tensors]) };
  }
  if (/\.(bin|json|pt|pth)$/i.test(String(path))) {
    throw new CheckpointError(
      'OPTION',
      'the target is a file of another format',
      'Pass the path of a folder, or of a .safetensors file.',
    );
  }
  return {
    isSingleFile: false,
    async write(tensors, config) {
      await makeNodeFolder(path);
      await writeNodeFile(inFolder(path, files.config), [new TextEncoder().encode(config)]);
      await writeNodeFile(inFolder(path, files.model), [tensors]);
    },
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
