/**
 * An inert record of an object of an unknown Python class, or of an unknown class or function. Nothing is called,
 * looked up or imported. The parts are ordinary data of the file.
 */
export class PythonObject {
  /** The class or function, with its module: `argparse.Namespace`. */
  readonly name: string;
  /** The arguments with which Python would make the object; null for the class or function itself. */
  readonly args: readonly unknown[] | null;
  /** The state from which Python would set the attributes of the object, usually a `Map`. Null if the file has none. */
  state: unknown = null;
  /** The entries, if the class is a kind of dict. */
  readonly entries: Map<unknown, unknown> = new Map();
  /** The items, if the class is a kind of list or set. */
  readonly items: unknown[] = [];

  constructor(name: string, args: readonly unknown[] | null) {
    this.name = name;
    this.args = args;
  }
}

/** The approximate number of bytes of a record in memory. */
export const pythonObjectSize = 400;

/** Returns the named attributes in the state of an object. */
function attributesOf({ state }: PythonObject): Map<unknown, unknown>[] {
  // For a class with slots, the state is a pair of attributes and slots.
  const parts = Array.isArray(state) && state.length === 2 ? state : [state];
  return parts.filter((part) => part instanceof Map);
}

/**
 * Returns the contents of an object as keys and values. For a module of torch, these are the contents of
 * `state_dict()`: parameters, persistent buffers and child modules, each by its name in the module.
 */
export function contentsOf(object: PythonObject): Iterable<readonly [unknown, unknown]> {
  const attributes = attributesOf(object);
  const module = attributes.find(isModuleState);
  if (module !== undefined) return stateOf(module);
  const { args, state, entries, items } = object;
  return [
    ...(args ?? []).map((value, i) => [`args.${i}`, value] as const),
    ...(attributes.length > 0 || state === null ? [] : [['state', state] as const]),
    ...attributes.flatMap((part) => [...part]),
    ...entries,
    ...items.entries(),
  ];
}

const isModuleState = (state: Map<unknown, unknown>): boolean =>
  ['_parameters', '_buffers', '_modules'].every((name) => state.get(name) instanceof Map);

function* stateOf(state: Map<unknown, unknown>): Generator<readonly [unknown, unknown]> {
  const passing = state.get('_non_persistent_buffers_set');
  yield* state.get('_parameters') as Map<unknown, unknown>;
  for (const entry of state.get('_buffers') as Map<unknown, unknown>) {
    if (!(passing instanceof Set && passing.has(entry[0]))) yield entry;
  }
  yield* state.get('_modules') as Map<unknown, unknown>;
}
