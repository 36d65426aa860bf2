import { CheckpointError, corrupt, quoted } from '../checkpointError.ts';
import type { Budget } from '../source/budget.ts';
import type { PickleBytes } from './pickleBytes.ts';
import { opcodes } from './pickleOpcodes.ts';

/** Something that a pickle calls by name; it is one of ours, nothing that the file brings along. */
export class PickleFunction {
  readonly name: string;
  readonly call: (args: readonly unknown[]) => unknown;

  constructor(name: string, call: (args: readonly unknown[]) => unknown) {
    this.name = name;
    this.call = call;
  }
}

/** What a pickle may refer to besides plain data. */
export interface PickleWorld {
  /** What stands for a name of Python; undefined if it is refused. */
  find(name: string): unknown;
  /** What stands for an object that the pickle only names: torch's storages. */
  persistent(id: unknown): unknown;
}

/**
 * The stack machine that a pickle is a program for, with an allow-list instead of Python: it builds dicts (`Map`), lists and
 * tuples (arrays), sets, texts, bytes and numbers, calls what its world knows by name, and refuses everything else.
 *
 * Each instruction takes one or more bytes and nothing loops, so that a pickle ends; what it builds is charged to a budget.
 */
export class Unpickler {
  readonly bytes: PickleBytes;
  readonly world: PickleWorld;
  private readonly memo: unknown[] = [];
  /** What was remembered out of turn: an index may be any number of four bytes. */
  private readonly sparseMemo = new Map<number, unknown>();
  private readonly budget: Budget;
  private stack: unknown[] = [];
  private readonly marked: unknown[][] = [];

  constructor(bytes: PickleBytes, world: PickleWorld, budget: Budget) {
    this.bytes = bytes;
    this.world = world;
    this.budget = budget;
  }

  /** Runs one pickle; the bytes are left after it. */
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

  /** The value on top, which stays. */
  top(): unknown {
    if (this.stack.length === 0) throw underflow();
    return this.stack[this.stack.length - 1];
  }

  /** How many were remembered: where the next one goes that does not say where. */
  get remembered(): number {
    return this.memo.length + this.sparseMemo.size;
  }

  mark(): void {
    this.charge(64);
    this.marked.push(this.stack);
    this.stack = [];
  }

  /** Everything above the last mark, which goes. */
  popMark(): unknown[] {
    const below = this.marked.pop();
    if (below === undefined) throw underflow();
    // The place of a mark is free again.
    this.charge(-64);
    const items = this.stack;
    this.stack = below;
    return items;
  }

  /** The dict on top of the stack. */
  dict(): Map<unknown, unknown> {
    const dict = this.top();
    if (!(dict instanceof Map)) throw corrupt('the pickle adds entries to what is no dict');
    return dict;
  }

  setItems(items: readonly unknown[]): void {
    const dict = this.dict();
    if (items.length % 2 !== 0) throw corrupt('the pickle has a key without a value');
    for (let i = 0; i < items.length; i += 2) {
      this.charge(40);
      dict.set(items[i], items[i + 1]);
    }
  }

  append(items: readonly unknown[]): void {
    const list = this.top();
    if (!Array.isArray(list)) throw corrupt('the pickle appends to what is no list');
    for (const item of items) {
      this.charge(16);
      list.push(item);
    }
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
    const found = this.world.find(`${module}.${name}`);
    if (found === undefined) throw unsafe(`${module}.${name}`);
    this.push(found);
  }

  call(): void {
    const args = this.pop();
    const callee = this.pop();
    if (!(callee instanceof PickleFunction)) {
      throw new CheckpointError('UNSAFE', 'the pickle calls what is no function. Do not trust the file.');
    }
    if (!Array.isArray(args)) throw corrupt(`the pickle calls ${callee.name} with no arguments`);
    this.push(callee.call(args));
  }
}

const underflow = (): CheckpointError => corrupt('the pickle takes more from its stack than there is');

/** The error for a name that is not on the allow-list. */
const unsafe = (name: string): CheckpointError =>
  new CheckpointError(
    'UNSAFE',
    `the file needs ${quoted(name)}, which is code and is not run here. Only tensors and plain data can be read: save model.state_dict() in Python, without objects of your own.`,
  );
