import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';

/** The bytes that malloc may come to without a wrong address: 2³², without what it rounds a size up by. */
const END = 2 ** 32 - 2 ** 20;

/** The bytes that are not in tensors: those of the program, its stack, and gaps. */
const RESERVE = 2 ** 26;

/** The memory of the wasm backend of tfjs, with its tensors. */
export interface WasmHeap {
  /** For a module that works in the same memory; its buffer is another one after it has grown. */
  readonly memory: WebAssembly.Memory;
  /**
   * Returns the address of the numbers of a tensor. A tensor of another backend is moved here first, and the memory may
   * grow.
   */
  address(tensor: TensorInfo): number;
  /** A new float32 tensor, its numbers not set. The memory may grow. */
  allocate(shape: number[]): TensorInfo;
  /**
   * Calls `use` with the address, a multiple of 16, of so many free bytes, all of them 0. The memory may grow before.
   */
  withScratch(bytes: number, use: (address: number) => void): void;
  /**
   * True if so many more bytes can be allocated: in one piece where the memory can grow by them, else by the bytes of
   * all tensors. The memory may grow.
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
 * The heap of a wasm backend.
 *
 * @throws Error if the backend does not give access to it as that of tfjs does
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
      // Above 2 GiB, malloc returns what looks like a negative number; of 0 bytes too little, it returns 0.
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
      // Near the end of the addresses malloc does not fail: its block goes on at address 0, and it writes there at
      // once.
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
