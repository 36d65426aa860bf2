import { CheckpointError } from '../../checkpointError.ts';
import type { Unpickler } from './unpickle.ts';

type Opcode = (machine: Unpickler) => void;

/**
 * The largest number of bytes of an integer. Longer integers do not occur in checkpoints, and cost more than their
 * length.
 */
const longestInteger = 1024;

/** Reads an integer in little-endian two's complement. */
function integer(bytes: Uint8Array): number | bigint {
  if (bytes.length > longestInteger) {
    throw new CheckpointError(
      'LIMIT',
      `the pickle has an integer of ${bytes.length} bytes`,
      'Do not trust the file.',
    );
  }
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]!);
  if (bytes.length > 0 && bytes[bytes.length - 1]! >= 0x80) value -= 1n << BigInt(8 * bytes.length);
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

function pushText(machine: Unpickler, length: number): void {
  machine.bytes.expect(length);
  machine.charge(24 + length);
  machine.push(machine.bytes.text(length));
}

function pushBytes(machine: Unpickler, length: number): void {
  machine.bytes.expect(length);
  machine.charge(128 + length);
  machine.push(machine.bytes.take(length).slice());
}

const tuple = (machine: Unpickler, items: unknown[]): void => {
  machine.charge(48 + 8 * items.length);
  machine.push(items);
};

const list = (machine: Unpickler, items: unknown[]): void => {
  machine.charge(192 + 8 * items.length);
  machine.push(items);
};

const dict = (machine: Unpickler): void => {
  machine.charge(176);
  machine.push(new Map());
};

const set = (machine: Unpickler, items: readonly unknown[]): void => {
  machine.charge(176 + 32 * items.length);
  machine.push(new Set(items));
};

/** Pops the last items of the stack, and returns them in order. */
const popped = (machine: Unpickler, count: number): unknown[] => {
  const items: unknown[] = [];
  for (let i = 0; i < count; i++) items.push(machine.pop());
  return items.reverse();
};

const unsafe =
  (name: string): Opcode =>
  () => {
    throw new CheckpointError(
      'UNSAFE',
      `the pickle has the instruction ${name}, which makes objects of any class`,
      'Do not trust the file.',
    );
  };

const tooOld: Opcode = () => {
  throw new CheckpointError(
    'UNSUPPORTED',
    'the pickle has text instructions of protocol 0',
    'Save it again with torch.save, which uses protocol 2.',
  );
};

const at = (character: string): number => character.charCodeAt(0);

/** The instructions of the pickle protocols 1 to 5, by their numbers. The loop handles STOP. */
export const opcodes: readonly (Opcode | undefined)[] = Object.assign(new Array<Opcode | undefined>(256), {
  [at('(')]: (machine: Unpickler) => machine.mark(),
  [at('0')]: (machine: Unpickler) => void machine.pop(),
  [at('1')]: (machine: Unpickler) => void machine.popMark(),
  [at('2')]: (machine: Unpickler) => machine.push(machine.top()),
  [at('N')]: (machine: Unpickler) => machine.push(null),
  [at('J')]: (machine: Unpickler) => machine.push(machine.bytes.int32()),
  [at('K')]: (machine: Unpickler) => machine.push(machine.bytes.uint8()),
  [at('M')]: (machine: Unpickler) => machine.push(machine.bytes.uint16()),
  [at('G')]: (machine: Unpickler) => {
    machine.charge(16);
    machine.push(machine.bytes.float64());
  },
  [at('T')]: (machine: Unpickler) => pushText(machine, machine.bytes.uint32()),
  [at('U')]: (machine: Unpickler) => pushText(machine, machine.bytes.uint8()),
  [at('X')]: (machine: Unpickler) => pushText(machine, machine.bytes.uint32()),
  [at('B')]: (machine: Unpickler) => pushBytes(machine, machine.bytes.uint32()),
  [at('C')]: (machine: Unpickler) => pushBytes(machine, machine.bytes.uint8()),
  [at('Q')]: (machine: Unpickler) => machine.push(machine.world.persistent(machine.pop())),
  [at('R')]: (machine: Unpickler) => machine.call(),
  [at('b')]: (machine: Unpickler) => machine.build(),
  [at('c')]: (machine: Unpickler) => machine.global(machine.bytes.line(), machine.bytes.line()),
  [at(']')]: (machine: Unpickler) => list(machine, []),
  [at('l')]: (machine: Unpickler) => list(machine, machine.popMark()),
  [at('a')]: (machine: Unpickler) => {
    const item = machine.pop();
    machine.append([item]);
  },
  [at('e')]: (machine: Unpickler) => machine.append(machine.popMark()),
  [at('}')]: dict,
  [at('d')]: (machine: Unpickler) => {
    const items = machine.popMark();
    dict(machine);
    machine.setItems(items);
  },
  [at('s')]: (machine: Unpickler) => machine.setItems(popped(machine, 2)),
  [at('u')]: (machine: Unpickler) => machine.setItems(machine.popMark()),
  [at(')')]: (machine: Unpickler) => tuple(machine, []),
  [at('t')]: (machine: Unpickler) => tuple(machine, machine.popMark()),
  [at('q')]: (machine: Unpickler) => machine.remember(machine.bytes.uint8()),
  [at('r')]: (machine: Unpickler) => machine.remember(machine.bytes.uint32()),
  [at('h')]: (machine: Unpickler) => machine.recall(machine.bytes.uint8()),
  [at('j')]: (machine: Unpickler) => machine.recall(machine.bytes.uint32()),
  128: (machine: Unpickler) => {
    const protocol = machine.bytes.uint8();
    if (protocol < 2 || protocol > 5) {
      throw new CheckpointError(
        'UNSUPPORTED',
        `the pickle states protocol ${protocol}; 2 to 5 exist here`,
        'Save it again with torch.save.',
      );
    }
  },
  // Making an object of a class is a call of the class.
  129: (machine: Unpickler) => machine.call(),
  133: (machine: Unpickler) => tuple(machine, popped(machine, 1)),
  134: (machine: Unpickler) => tuple(machine, popped(machine, 2)),
  135: (machine: Unpickler) => tuple(machine, popped(machine, 3)),
  136: (machine: Unpickler) => machine.push(true),
  137: (machine: Unpickler) => machine.push(false),
  138: (machine: Unpickler) => machine.push(integer(machine.bytes.take(machine.bytes.uint8()))),
  139: (machine: Unpickler) => machine.push(integer(machine.bytes.take(machine.bytes.uint32()))),
  140: (machine: Unpickler) => pushText(machine, machine.bytes.uint8()),
  141: (machine: Unpickler) => pushText(machine, machine.bytes.uint64()),
  142: (machine: Unpickler) => pushBytes(machine, machine.bytes.uint64()),
  143: (machine: Unpickler) => set(machine, []),
  144: (machine: Unpickler) => machine.addItems(machine.popMark()),
  145: (machine: Unpickler) => set(machine, machine.popMark()),
  146: (machine: Unpickler) => machine.callWithNames(),
  147: (machine: Unpickler) => {
    const [module, name] = popped(machine, 2);
    machine.global(module, name);
  },
  148: (machine: Unpickler) => machine.remember(machine.remembered),
  149: (machine: Unpickler) => machine.bytes.expect(machine.bytes.uint64()),
  150: (machine: Unpickler) => pushBytes(machine, machine.bytes.uint64()),
  152: () => {},
  [at('P')]: unsafe('PERSID'),
  [at('i')]: unsafe('INST'),
  [at('o')]: unsafe('OBJ'),
  130: unsafe('EXT1'),
  131: unsafe('EXT2'),
  132: unsafe('EXT4'),
  151: unsafe('NEXT_BUFFER'),
  ...Object.fromEntries([...'ILFSVgp'].map((character) => [at(character), tooOld])),
});
