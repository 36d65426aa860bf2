import { isCount } from '../../../core/guards.ts';
import { corrupt } from '../../checkpointError.ts';
import type { Budget } from '../../source/budget.ts';
import { elementSize } from '../../tensor/dtype.ts';
import { PythonObject, pythonObjectSize } from './pythonObject.ts';
import { RefusedTensor, type TorchStorage, TorchTensor } from './torchTensor.ts';
import { dtypes, isCounts, isStorage } from './torchTypes.ts';
import { PickleFunction } from './unpickle.ts';

type Call = (args: readonly unknown[]) => unknown;

const isRank = (value: unknown): value is number[] => isCounts(value) && value.length <= 64;

const shapeIn = (value: unknown): readonly number[] => (isRank(value) ? [...value] : []);

/**
 * Returns the functions of torch with which pickles make tensors, from a storage or from another tensor. Attributes and
 * backward hooks of a tensor are ignored.
 */
export function rebuildFunctions(budget: Budget): Map<string, PickleFunction> {
  const known = new Map<string, PickleFunction>();
  const define = (name: string, call: Call): void => void known.set(name, new PickleFunction(name, call));

  const layoutOf = ([, offset, shape, stride]: readonly unknown[]) => {
    if (!isCount(offset) || !isRank(shape) || !isRank(stride) || shape.length !== stride.length) {
      throw corrupt('a tensor is not placed by an offset, a shape and strides');
    }
    budget.chargeObjects(240 + 16 * shape.length, () => 'the pickle');
    return { offset, shape: [...shape], stride: [...stride] };
  };
  const refused = (kind: string, shape: unknown): RefusedTensor => {
    budget.chargeObjects(160, () => 'the pickle');
    return new RefusedTensor(kind, shapeIn(shape));
  };
  define('torch._utils._rebuild_tensor', (args) => {
    const storage = storageIn(args);
    return new TorchTensor(storage, layoutOf(args), storage.dtype, false, budget);
  });
  define('torch._utils._rebuild_tensor_v2', (args) => {
    const storage = storageIn(args);
    return new TorchTensor(storage, layoutOf(args), storage.dtype, args[4] === true, budget);
  });
  define('torch._utils._rebuild_tensor_v3', (args) => {
    const dtype = dtypes.get(String(args[6]));
    // A type of a later torch, with an unknown element size.
    if (dtype === undefined && args[6] instanceof PythonObject) return refused(args[6].name, args[2]);
    if (dtype === undefined) throw corrupt('a tensor has no element type');
    return new TorchTensor(retyped(storageIn(args), dtype), layoutOf(args), dtype, args[4] === true, budget);
  });
  const parameter: Call = ([data, requiresGrad]) => {
    if (data instanceof TorchTensor) {
      return new TorchTensor(data.storage, data.layout, data.dtype, requiresGrad === true, budget);
    }
    // The parameter of a tensor of an unknown class is one, too.
    if (data instanceof RefusedTensor || data instanceof PythonObject) return data;
    throw corrupt('a parameter has no tensor');
  };
  define('torch._utils._rebuild_parameter', parameter);
  define('torch._utils._rebuild_parameter_with_state', parameter);
  define('torch._utils._rebuild_qtensor', ([, , size]) => refused('quantized', size));
  for (const name of ['_rebuild_sparse_tensor', '_rebuild_sparse_csr_tensor']) {
    define(`torch._utils.${name}`, ([, data]) => {
      const parts = Array.isArray(data) ? data : [];
      // Indices and values come before the shape: two tensors, or three in a compressed layout.
      return refused('sparse', parts.find(isRank));
    });
  }
  define('torch._utils._rebuild_nested_tensor', () => refused('nested', null));
  define('torch._utils._rebuild_meta_tensor_no_storage', ([, size]) => refused('meta', size));

  const makers = new Set(known.values());
  for (const name of ['_rebuild_from_type', '_rebuild_from_type_v2']) {
    // It calls its first argument. Here only a function that makes a tensor is called, and the tensor is returned as a
    // plain one.
    define(`torch._tensor.${name}`, (args) => {
      const [maker, type, own] = args;
      if (maker instanceof PickleFunction && makers.has(maker) && Array.isArray(own)) return maker.call(own);
      budget.chargeObjects(pythonObjectSize, () => 'the pickle');
      return new PythonObject(type instanceof PythonObject ? type.name : `torch._tensor.${name}`, args);
    });
  }
  return known;
}

function storageIn([storage]: readonly unknown[]): TorchStorage {
  if (!isStorage(storage)) throw corrupt('a tensor is not placed in a storage');
  return storage;
}

/** Returns a storage of raw bytes as elements of a type. */
function retyped(storage: TorchStorage, dtype: string): TorchStorage {
  const bytes = storage.size * elementSize(storage.dtype)!;
  return { key: storage.key, dtype, size: Math.floor(bytes / elementSize(dtype)!), read: storage.read };
}
