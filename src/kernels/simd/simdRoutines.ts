import type { Routines } from './routines.ts';
import { memoryLimitsAt, simdModule } from './simdModule.ts';

/**
 * Makes the routines of assembly/weightNorm.ts for a memory. They write only to the addresses that they get.
 *
 * @throws Error if WebAssembly has no SIMD or may not compile
 */
export function simdRoutines(memory: WebAssembly.Memory): Routines {
  const bytes = Uint8Array.from(atob(simdModule), (character) => character.charCodeAt(0));
  if (isShared(memory)) bytes[memoryLimitsAt] = 3;
  const module = new WebAssembly.Module(bytes);
  return new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Routines;
}

const isShared = ({ buffer }: WebAssembly.Memory): boolean =>
  typeof SharedArrayBuffer === 'function' && buffer instanceof SharedArrayBuffer;
