import { isCount } from '../../../core/guards.ts';
import type { TorchStorage } from './torchTensor.ts';

/** One of torch's storage classes, as a name. */
export class StorageType {
  readonly dtype: string;

  constructor(dtype: string) {
    this.dtype = dtype;
  }
}

/** The element types of the storage classes of torch. */
export const storageTypes: ReadonlyMap<string, string> = new Map([
  ['Double', 'F64'],
  ['Float', 'F32'],
  ['Half', 'F16'],
  ['BFloat16', 'BF16'],
  ['Long', 'I64'],
  ['Int', 'I32'],
  ['Short', 'I16'],
  ['Char', 'I8'],
  ['Byte', 'U8'],
  ['Bool', 'BOOL'],
  ['ComplexFloat', 'C64'],
  ['ComplexDouble', 'C128'],
  // Their tensors are refused. The storages have the sizes of these types.
  ['QInt8', 'I8'],
  ['QUInt8', 'U8'],
  ['QInt32', 'I32'],
]);

/** The element types by their names in torch. */
export const dtypes: ReadonlyMap<string, string> = new Map([
  ['torch.float64', 'F64'],
  ['torch.float32', 'F32'],
  ['torch.float16', 'F16'],
  ['torch.bfloat16', 'BF16'],
  ['torch.int64', 'I64'],
  ['torch.int32', 'I32'],
  ['torch.int16', 'I16'],
  ['torch.int8', 'I8'],
  ['torch.uint64', 'U64'],
  ['torch.uint32', 'U32'],
  ['torch.uint16', 'U16'],
  ['torch.uint8', 'U8'],
  ['torch.bool', 'BOOL'],
  ['torch.complex32', 'C32'],
  ['torch.complex64', 'C64'],
  ['torch.complex128', 'C128'],
  ['torch.float8_e4m3fn', 'F8_E4M3'],
  ['torch.float8_e5m2', 'F8_E5M2'],
  ['torch.float8_e4m3fnuz', 'F8_E4M3FNUZ'],
  ['torch.float8_e5m2fnuz', 'F8_E5M2FNUZ'],
]);

/** True if a value is a list of counts. */
export const isCounts = (value: unknown): value is number[] => Array.isArray(value) && value.every(isCount);

/** True if a value is a storage that {@link brandStorage} has marked. */
export const isStorage = (value: unknown): value is TorchStorage =>
  typeof value === 'object' && value !== null && branded.has(value);

/** The marked storages. No other object from a pickle counts as a storage. */
const branded = new WeakSet<object>();

/** Marks a storage that `Storages.open` returns. */
export function brandStorage(storage: TorchStorage): TorchStorage {
  branded.add(storage);
  return storage;
}
