import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import process from 'node:process';

/** The names under which systems install Chromium, and a browser made of it. */
const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/**
 * The Chromium that the environment variable `CHROMIUM` names, or that is on the PATH; null if there is none.
 *
 * @throws Error if `CHROMIUM` names what cannot be run
 */
export function findChromium(): string | null {
  const named = process.env['CHROMIUM'];
  if (named) {
    if (!isExecutable(named)) throw new Error(`CHROMIUM is ${named}, which cannot be run.`);
    return named;
  }
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  const places = [...folders, '/usr/bin'].flatMap((folder) => names.map((name) => join(folder, name)));
  return places.find(isExecutable) ?? null;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Of a browser that asks nobody on the network for anything. */
const silent = [
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-quic',
  '--disable-dev-shm-usage',
];

/** Of a graphics processor in software, so that every machine has the same one. */
const webgl = ['--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader'];

const graphics: Record<string, readonly string[]> = {
  webgl,
  webgpu: [
    ...webgl,
    '--enable-unsafe-webgpu',
    '--use-webgpu-adapter=swiftshader',
    '--enable-features=Vulkan',
    '--use-vulkan=swiftshader',
    // So that the page is drawn on the same device: synchronous reads go through a canvas, and would be zeros.
    '--ignore-gpu-blocklist',
  ],
};

/** How Chromium is to be started: for a backend of tfjs in software, or on the graphics processor of the machine. */
export function chromiumFlags(backend?: string): string[] {
  // As root, Chromium refuses to start in its sandbox.
  const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  return [...silent, ...sandbox, ...(backend === undefined ? [] : (graphics[backend] ?? []))];
}
