import { expect, it } from 'vitest';
import type { Loaded, Message, Saved } from './browserPage.ts';

// Node.js has no IndexedDB: documents of a browser save and load what browserPage.ts says.

it('saves and resumes originals, and saves and loads plain weights, in IndexedDB and local storage', async () => {
  const { savedFrom } = await documentThat<Saved>('saves');
  const { originals, refused, ...loaded } = await documentThat<Loaded>('loads');
  expect(originals).toEqual(
    expect.arrayContaining([
      expect.stringContaining('recurrent_kernel/original'),
      expect.stringContaining('kernel/original0'),
      expect.stringContaining('kernel/original1'),
    ]),
  );
  expect(refused).toContain('no target variable');
  expect(savedFrom).toHaveLength(12);
  expect(Math.max(...savedFrom.map(Math.abs))).toBeGreaterThan(1e-2);
  expect(Object.keys(loaded)).toEqual(['resumed', 'plain', 'loaded', 'local']);
  for (const [name, predictions] of Object.entries(loaded)) {
    expect(predictions, name).toHaveLength(12);
    const differences = predictions.map((value, i) => Math.abs(value - savedFrom[i]!));
    expect(Math.max(...differences), name).toBeLessThan(1e-5);
  }
});

/** What a document of its own tells, which knows nothing of this one but what is stored. */
function documentThat<T extends Message>(acts: 'saves' | 'loads'): Promise<T> {
  const frame = document.createElement('iframe');
  frame.name = acts;
  const page = new URL('browserPage.ts', import.meta.url).href;
  frame.srcdoc = `<!doctype html><script type="module" src="${page}"></script>`;
  return new Promise((resolve, reject) => {
    const listen = ({ source, data }: MessageEvent<T | { error: string }>): void => {
      if (source !== frame.contentWindow) return;
      window.removeEventListener('message', listen);
      frame.remove();
      if ('error' in data) reject(new Error(data.error));
      else resolve(data);
    };
    window.addEventListener('message', listen);
    document.body.append(frame);
  });
}
