import { readdirSync, readFileSync } from 'node:fs';

/** A file that torch or safetensors wrote. */
export interface GoodFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** The checkpoints of a folder, small ones first. */
const filesIn = (folder: URL): GoodFile[] =>
  readdirSync(folder)
    .filter((name) => /\.(pt|safetensors)$/.test(name))
    .map((name) => ({ name, bytes: new Uint8Array(readFileSync(new URL(name, folder))) }))
    .sort((a, b) => a.bytes.length - b.bytes.length || (a.name < b.name ? -1 : 1));

/** State dicts of every kind, and what training scripts put beside them. */
export const stateDicts: readonly GoodFile[] = ['statedicts', 'objects'].flatMap((folder) =>
  filesIn(new URL(`../files/${folder}/`, import.meta.url)),
);

/** And trained networks. */
export const goodFiles: readonly GoodFile[] = [
  ...stateDicts,
  ...filesIn(new URL('../files/networks/', import.meta.url)),
];
