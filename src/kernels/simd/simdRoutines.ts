import type { Routines } from './routines.ts';
import { memoryLimitsAt, simdModule } from './simdModule.ts';

/**
 * The routines of assembly/weightNorm.ts in a memory, which is not touched but where they are told to.
 *
 * @throws Error where WebAssembly has no SIMD, or may not compile
 */
export function simdRoutines(memory: WebAssembly.Memory): Routines {
  const bytes = Uint8Array.from(atob(simdModule), (character) => character.charCodeAt(0));
  if (isShared(memory)) bytes[memoryLimitsAt] = 3;
  const module = new WebAssembly.Module(bytes);
  return new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Routines;
}

const isShared = ({ buffer }: WebAssembly.Memory): boolean =>
  typeof SharedArrayBuffer === 'function' && buffer instanceof SharedArrayBuffer;
