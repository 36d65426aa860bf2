/**
 * An object of a Python class that this package has nothing for, or the class or function itself: an inert record of
 * what the file says about it. Nothing is ever called, looked up or imported; the parts are data of the file like all
 * others.
 */
export class PythonObject {
  /** The class or function, with its module: `argparse.Namespace`. */
  readonly name: string;
  /** The arguments that Python would make the object with; null for the class or function itself. */
  readonly args: readonly unknown[] | null;
  /**
   * The state from which Python would set the attributes of the object: mostly a `Map` of them. Null if the file has
   * none.
   */
  state: unknown = null;
  /** Entries, where the class is a kind of dict. */
  readonly entries: Map<unknown, unknown> = new Map();
  /** Items, where the class is a kind of list or set. */
  readonly items: unknown[] = [];

  constructor(name: string, args: readonly unknown[] | null) {
    this.name = name;
    this.args = args;
  }
}

/** Bytes that one takes in memory, about. */
export const pythonObjectSize = 400;

/** The attributes of an object that its state gives, where it gives them by name. */
function attributesOf({ state }: PythonObject): Map<unknown, unknown>[] {
  // For a class with slots the state is a pair, the attributes, and the slots.
  const parts = Array.isArray(state) && state.length === 2 ? state : [state];
  return parts.filter((part) => part instanceof Map);
}

/**
 * The contents of an object, as keys and values. For a module of torch these are what `state_dict()` has: parameters,
 * buffers but for those that are not persistent, and the modules in it, each by its name in the module.
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
