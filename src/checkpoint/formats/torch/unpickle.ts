import { CheckpointError, corrupt, quoted } from '../../checkpointError.ts';
import type { Budget } from '../../source/budget.ts';
import type { PickleBytes } from './pickleBytes.ts';
import { opcodes } from './pickleOpcodes.ts';
import { PythonObject, pythonObjectSize } from './pythonObject.ts';

/** A function of this package that a pickle can call by name. A file cannot bring its own functions. */
export class PickleFunction {
  readonly name: string;
  readonly call: (args: readonly unknown[]) => unknown;

  constructor(name: string, call: (args: readonly unknown[]) => unknown) {
    this.name = name;
    this.call = call;
  }
}

/** The objects that a pickle may refer to in addition to plain data. */
export interface PickleWorld {
  /** Returns the object for a name in a module of Python, or undefined if the name is refused. */
  find(module: string, name: string): unknown;
  /** Returns the object for a persistent id, such as a storage of torch. */
  persistent(id: unknown): unknown;
}

/**
 * The stack machine that runs pickles, with an allow-list instead of Python. It builds dicts (`Map`), lists and tuples
 * (arrays), sets, texts, bytes and numbers, and calls functions that its world finds by name. For every other class and
 * function, it notes the name and the arguments as a {@link PythonObject}. No code of Python or of the file is run.
 *
 * Each instruction takes at least one byte and nothing loops, so every pickle ends. The objects that it builds are
 * charged to a budget.
 */
export class Unpickler {
  readonly bytes: PickleBytes;
  readonly world: PickleWorld;
  private readonly memo: unknown[] = [];
  /** The objects that were remembered out of order. An index may be any four-byte number. */
  private readonly sparseMemo = new Map<number, unknown>();
  private readonly budget: Budget;
  private stack: unknown[] = [];
  private readonly marked: unknown[][] = [];

  constructor(bytes: PickleBytes, world: PickleWorld, budget: Budget) {
    this.bytes = bytes;
    this.world = world;
    this.budget = budget;
  }

  /** Runs one pickle. The position is after it then. */
  run(): unknown {
    for (;;) {
      const opcode = this.bytes.uint8();
      if (opcode === 0x2e /* STOP */) return this.pop();
      const run = opcodes[opcode];
      if (run === undefined) {
        throw corrupt(`the pickle has the opcode 0x${opcode.toString(16)}, which does not exist`);
      }
      run(this);
    }
  }

  charge(bytes: number): void {
    this.budget.chargeObjects(bytes, () => 'the pickle');
  }

  push(value: unknown): void {
    this.stack.push(value);
  }

  pop(): unknown {
    if (this.stack.length === 0) throw underflow();
    return this.stack.pop();
  }

  /** Returns the top of the stack without removing it. */
  top(): unknown {
    if (this.stack.length === 0) throw underflow();
    return this.stack[this.stack.length - 1];
  }

  /** The number of remembered objects, which is the next index. */
  get remembered(): number {
    return this.memo.length + this.sparseMemo.size;
  }

  mark(): void {
    this.charge(64);
    this.marked.push(this.stack);
    this.stack = [];
  }

  /** Pops everything above the last mark, and the mark. */
  popMark(): unknown[] {
    const below = this.marked.pop();
    if (below === undefined) throw underflow();
    // The memory of the mark is free again.
    this.charge(-64);
    const items = this.stack;
    this.stack = below;
    return items;
  }

  setItems(items: readonly unknown[]): void {
    const top = this.top();
    const dict = top instanceof PythonObject ? top.entries : top;
    if (!(dict instanceof Map)) throw corrupt('the pickle adds entries to what is no dict');
    if (items.length % 2 !== 0) throw corrupt('the pickle has a key without a value');
    for (let i = 0; i < items.length; i += 2) {
      this.charge(40);
      dict.set(items[i], items[i + 1]);
    }
  }

  append(items: readonly unknown[]): void {
    const top = this.top();
    const list = top instanceof PythonObject ? top.items : top;
    if (!Array.isArray(list)) throw corrupt('the pickle appends to what is no list');
    for (const item of items) {
      this.charge(16);
      list.push(item);
    }
  }

  addItems(items: readonly unknown[]): void {
    const top = this.top();
    if (top instanceof PythonObject) {
      this.append(items);
      return;
    }
    if (!(top instanceof Set)) throw corrupt('the pickle adds items to what is no set');
    for (const item of items) {
      this.charge(48);
      top.add(item);
    }
  }

  /** Sets the state of an object. Dicts of torch have attributes (`_metadata`), which are not entries. */
  build(): void {
    const state = this.pop();
    const top = this.top();
    if (top instanceof PythonObject && top.args !== null) {
      top.state = state;
      return;
    }
    if (top instanceof Map && state instanceof Map) return;
    throw new CheckpointError(
      'UNSAFE',
      'the pickle sets the state of what has none: no object of a class, and no dict',
      'Do not trust the file.',
    );
  }

  remember(index: number): void {
    this.charge(index === this.memo.length ? 12 : 48);
    if (index <= this.memo.length) this.memo[index] = this.top();
    else this.sparseMemo.set(index, this.top());
  }

  recall(index: number): void {
    if (index >= this.memo.length && !this.sparseMemo.has(index)) {
      throw corrupt(`the pickle recalls the memo ${index}, which it never made`);
    }
    this.push(index < this.memo.length ? this.memo[index] : this.sparseMemo.get(index));
  }

  global(module: unknown, name: unknown): void {
    if (typeof module !== 'string' || typeof name !== 'string')
      throw corrupt('the pickle names an object by no text');
    const found = this.world.find(module, name);
    if (found === undefined) throw unsafe(`${module}.${name}`);
    this.push(found);
  }

  /** Calls the function below the arguments. For an unknown function, it notes the call. */
  call(): void {
    const args = this.pop();
    const callee = this.pop();
    if (!(callee instanceof PickleFunction) && !(callee instanceof PythonObject)) {
      throw new CheckpointError('UNSAFE', 'the pickle calls what is no function', 'Do not trust the file.');
    }
    if (!Array.isArray(args)) throw corrupt(`the pickle calls ${quoted(callee.name)} with no arguments`);
    if (callee instanceof PythonObject) {
      this.charge(pythonObjectSize);
      this.push(new PythonObject(callee.name, args));
    } else {
      this.push(callee.call(args));
    }
  }

  /** The same as {@link call}, with named arguments. */
  callWithNames(): void {
    const names = this.pop();
    const args = this.pop();
    if (!(names instanceof Map) || !Array.isArray(args)) {
      throw corrupt('the pickle makes an object with no arguments');
    }
    this.charge(64 + 8 * args.length);
    this.push(names.size === 0 ? args : [...args, names]);
    this.call();
  }
}

const underflow = (): CheckpointError => corrupt('the pickle takes more from its stack than there is');

/** The error for a name that does not occur in data. */
const unsafe = (name: string): CheckpointError =>
  new CheckpointError(
    'UNSAFE',
    `the file needs ${quoted(name)}, which is code: a program that loads the file in Python runs it`,
    'Do not trust the file; if it is yours, save model.state_dict().',
  );
