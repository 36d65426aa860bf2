import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of the repository. */
export const root = fileURLToPath(new URL('../', import.meta.url));

/** The text of a file of the repository. */
export const read = (path: string): string => readFileSync(join(root, path), 'utf8');

/** The fenced code blocks of one language, joined: a document is one program and what it prints. */
export function codeBlocks(markdown: string, language: string): string {
  const fences = markdown.matchAll(/^```(\w+)\n(.*?)^```$/gms);
  return [...fences]
    .filter(([, info]) => info === language)
    .map(([, , code]) => code)
    .join('');
}

/** A program of a document, and what it prints according to the document. */
export interface Program {
  readonly code: string;
  readonly output: string;
}

/** Each TypeScript block as a program of its own, with the text block below it. */
export function programs(markdown: string): Program[] {
  const blocks = [...markdown.matchAll(/^```(\w+)\n(.*?)^```$/gms)];
  return blocks.flatMap(([, language, code], i) => {
    if (language !== 'ts') return [];
    const next = blocks[i + 1];
    return [{ code: code!, output: next?.[1] === 'text' ? next[2]! : '' }];
  });
}

/** The paths of the files of the repository that a document links to. */
export function linkedFiles(path: string): string[] {
  const links = read(path).matchAll(/\]\(([^)\s]+)\)/g);
  return [...links]
    .map(([, target]) => target!)
    .filter((target) => !/^(https?:|#)/.test(target))
    .map((target) => join(dirname(path), target.replace(/#.*/, '')));
}
