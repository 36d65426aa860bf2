import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestProject } from 'vitest/node';
import { bytesOf } from './stateDictFiles.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Where {@link serveFiles} listens. */
    fileServer: string;
  }
}

/**
 * Serves `/MANNER/FILE` of the folder `files` to the pages of other origins: in parts (`ranges`), as a whole (`whole`), or in
 * parts without saying which (`hidden`), as where a server does not allow other origins to see it.
 */
export default async function serveFiles(project: TestProject): Promise<() => void> {
  const server = createServer((request, response) => {
    const [, manner, path] = /^\/(\w+)\/(.*)$/.exec(request.url ?? '') ?? [];
    response.setHeader('Access-Control-Allow-Origin', '*');
    if (manner === 'ranges') response.setHeader('Access-Control-Expose-Headers', 'Content-Range, ETag');
    let bytes: Uint8Array;
    try {
      bytes = bytesOf(path!);
    } catch {
      return void response.writeHead(404).end();
    }
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
    if (from === undefined || manner === 'whole') {
      return void response.writeHead(200, { 'Content-Length': bytes.length }).end(bytes);
    }
    const part = bytes.subarray(Number(from), Number(to) + 1);
    response.writeHead(206, {
      'Content-Range': `bytes ${from}-${Number(from) + part.length - 1}/${bytes.length}`,
      ETag: '"same"',
    });
    response.end(part);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  project.provide('fileServer', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  return () => {
    server.closeAllConnections();
    server.close();
  };
}
