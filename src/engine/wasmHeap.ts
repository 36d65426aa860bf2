import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';

/**
 * The largest size of the heap with correct addresses: 2³² bytes, less the bytes that malloc adds when it rounds up.
 */
const END = 2 ** 32 - 2 ** 20;

/** The bytes outside of tensors: the program, its stack, and gaps. */
const RESERVE = 2 ** 26;

/** The memory of the wasm backend of tfjs, with its tensors. */
export interface WasmHeap {
  /** The memory, for a module that works in it. Its `buffer` is replaced when it grows. */
  readonly memory: WebAssembly.Memory;
  /**
   * Returns the address of the numbers of a tensor. A tensor of another backend is moved to this heap first, and the
   * memory may grow.
   */
  address(tensor: TensorInfo): number;
  /** Makes a new float32 tensor without setting its numbers. The memory may grow. */
  allocate(shape: number[]): TensorInfo;
  /** Calls `use` with the address, a multiple of 16, of this many free bytes, all 0. The memory may grow first. */
  withScratch(bytes: number, use: (address: number) => void): void;
  /**
   * True if this many more bytes can be allocated. This is certain if the memory can grow by them; otherwise it is
   * estimated from the bytes of all tensors. The memory may grow.
   */
  hasRoom(bytes: number): boolean;
}

/** The parts of tfjs's `BackendWasm` and of the code of Emscripten that this file relies on. */
interface WasmBackend extends KernelBackend {
  readonly dataIdMap?: { get(dataId: object): { readonly memoryOffset: number } };
  makeOutput?(shape: number[], dtype: 'float32'): TensorInfo;
  readonly wasm?: {
    readonly HEAPU8?: Uint8Array;
    /** The memory in the builds for one thread. */
    readonly asm?: { readonly memory?: unknown };
    /** The memory in the build for threads. */
    readonly wasmMemory?: unknown;
    _malloc?(bytes: number): number;
    _free?(address: number): void;
  };
}

/**
 * Returns the heap of a wasm backend.
 *
 * @throws Error if the backend does not give access to its heap as the wasm backend of tfjs does
 */
export function wasmHeap(backend: WasmBackend): WasmHeap {
  const { wasm, dataIdMap } = backend;
  const memory = wasm?.wasmMemory ?? wasm?.asm?.memory;
  if (!(memory instanceof WebAssembly.Memory)) throw new Error('the backend does not show its memory');
  if (
    typeof dataIdMap?.get !== 'function' ||
    typeof backend.makeOutput !== 'function' ||
    typeof wasm?._malloc !== 'function' ||
    typeof wasm._free !== 'function'
  ) {
    throw new Error('the backend has no dataIdMap, makeOutput, _malloc or _free');
  }
  const heap: WasmHeap = {
    memory,
    address: ({ dataId }) => dataIdMap.get(dataId).memoryOffset,
    allocate: (shape) => backend.makeOutput!(shape, 'float32'),
    withScratch(bytes, use) {
      // Above 2 GiB, malloc returns a negative number. It returns 0 if there is too little memory.
      const start = wasm._malloc!(bytes + 16) >>> 0;
      if (start === 0) throw new Error(`The wasm backend of tfjs has no ${bytes} bytes left.`);
      const aligned = Math.ceil(start / 16) * 16;
      wasm.HEAPU8!.fill(0, aligned, aligned + bytes);
      try {
        use(aligned);
      } finally {
        wasm._free!(start);
      }
    },
    hasRoom(bytes) {
      // Near the end of the addresses malloc does not fail. Its block continues at address 0, and malloc writes there
      // at once.
      if (wasm.HEAPU8!.length + bytes > END) return bytes <= END - RESERVE - tf.memory().numBytes;
      const start = wasm._malloc!(bytes) >>> 0;
      wasm._free!(start);
      return start !== 0 || bytes === 0;
    },
  };
  checkAddresses(heap, backend);
  return heap;
}

/** Throws if the tensors of the backend have no addresses, or are in another memory. */
function checkAddresses(heap: WasmHeap, backend: WasmBackend): void {
  const tensor = heap.allocate([2]);
  const isAddress = Number.isInteger(heap.address(tensor));
  backend.disposeData(tensor.dataId);
  if (!isAddress || backend.wasm?.HEAPU8?.buffer !== heap.memory.buffer) {
    throw new Error('the tensors of the backend are not in the memory that it shows');
  }
}
