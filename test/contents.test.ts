import * as root from 'tfjs-parametrize';
import * as checkpoint from 'tfjs-parametrize/checkpoint';
import * as decorators from 'tfjs-parametrize/decorators';
import * as finetune from 'tfjs-parametrize/finetune';
import * as layers from 'tfjs-parametrize/layers';
import * as legacy from 'tfjs-parametrize/legacy';
import * as nn from 'tfjs-parametrize/nn';
import { describe, expect, it } from 'vitest';
import { read } from './markdown.ts';

/** The text of docs/contents.md by entry point. */
const sections = new Map(
  read('docs/contents.md')
    .split('\n## ')
    .map((section) => [section.match(/^`([\w/-]+)`/)?.[1], section]),
);

/** The words in code, which may begin with the sign of a decorator: `@parametrized(fn)`. */
const named = (text: string): Set<string> =>
  new Set([...text.matchAll(/`[^`]+`/g)].flatMap(([code]) => code.match(/\w+/g) ?? []));

// docs/nn.md lists the layers.
const isLayer = (value: unknown): boolean =>
  typeof value === 'function' && value !== nn.Module && value.prototype instanceof nn.Module;

describe('docs/contents.md', () => {
  it.each(
    Object.entries({ '': root, nn, layers, checkpoint, decorators, finetune, legacy }).map(
      ([name, entry]) => [name === '' ? 'tfjs-parametrize' : `tfjs-parametrize/${name}`, entry] as const,
    ),
  )('names every export of %s', (name, entry) => {
    const words = named(sections.get(name) ?? '');
    const exports = Object.entries(entry).filter(([, value]) => entry !== nn || !isLayer(value));
    expect(exports.map(([word]) => word).filter((word) => !words.has(word))).toEqual([]);
  });
});
