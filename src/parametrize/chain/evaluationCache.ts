import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { endTensor } from '../../engine/endedTensor.ts';
import { HeldData } from '../../engine/heldData.ts';
import {
  activeScope,
  alias,
  isOpen,
  moveToScope,
  release,
  type Scope,
  tapeScope,
} from '../../engine/scope.ts';
import { currentTape, inKernel, type Tape, tapeNumber } from '../../engine/tape.ts';
import {
  cacheGeneration,
  inCacheScope,
  joinScope,
  quitScope,
  retire,
  type ScopeMember,
} from './cacheScope.ts';
import { type DependencyKey, isFresh } from './dependencyKey.ts';
import { endedValue } from './readErrors.ts';

/** A value in an open tidy, which disposes it like the result of any op. */
interface LocalEntry {
  readonly tensor: Tensor;
  readonly key: DependencyKey;
  readonly scope: Scope;
  /**
   * The number of the tape that recorded the evaluation. The tape itself would stay alive, with every tensor that it
   * saved; a weak reference keeps it until the task ends, which a loop without pauses never does.
   */
  readonly tape: number | null;
  /** The cache scope in which reads may share the value of an impure chain; null for a pure chain. */
  readonly generation: number | null;
}

/** A value that the package holds beyond every tidy. */
interface KeptEntry {
  /** The tensor that a caller got outside of every tidy; null before. */
  tensor: Tensor | null;
  /**
   * The data while no tensor exists. It is a separate field, because a test of the class would take half of the time of
   * a read.
   */
  data: HeldData | null;
  readonly key: DependencyKey;
  readonly pure: boolean;
}

/**
 * The shared values of one parametrized tensor.
 *
 * Note [Ownership of reads] (law L4). A read inside a tidy gets a tensor of that tidy: the evaluation itself, or an
 * alias of the kept value. On a tape, it gets the evaluation that this tape recorded, which lives in the tidy of the
 * tape. Outside of every tidy, it gets the kept value, which is *borrowed*: the first read after a change of a
 * dependency replaces it. The last cache scope also ends the value of a chain that is not pure. There are two entries,
 * because they end differently: a read on a tape must not end a borrowed value. If such a read replaces a stale
 * borrowed value, the value stays lent until the next read on no tape. So a loop in a cache scope holds one tensor
 * instead of one a step.
 *
 * A value that no caller holds is kept as backend data only. So a read inside a tidy leaks no tensor, and the next call
 * with unchanged weights uses the same buffer, which the backend may have packed.
 */
export class EvaluationCache implements ScopeMember {
  /** The number of reads of the tensor. */
  reads = 0;
  /** The number of evaluations of the chain. */
  evaluations = 0;
  readonly #label: string;
  #local: LocalEntry | null = null;
  #kept: KeptEntry | null = null;
  /** The tensor that a caller got before a read on a tape replaced the entry. The next read on no tape ends it. */
  #lent: { readonly tensor: Tensor; readonly pure: boolean } | null = null;

  /** @param label - the name of the tensor in messages */
  constructor(label: string) {
    this.#label = label;
  }

  /** Returns the value that a reader on this tape, or on no tape, may share, or null. */
  find(tape: Tape | null): Tensor | null {
    const local = this.#local;
    if (local !== null && this.#mayServe(local, tape) && isFresh(local.key)) return local.tensor;
    if (tape !== null) return null;
    const kept = this.#kept;
    return kept !== null && isThere(kept) && isFresh(kept.key) ? this.#serveKept(kept) : null;
  }

  /**
   * Stores an evaluation for later reads. The reader gets the tensor itself.
   *
   * @param key - the dependencies of the evaluation
   * @param pure - true if the chain was a function of its dependencies only
   * @param tape - the tape that recorded the evaluation
   */
  store(tensor: Tensor, key: DependencyKey, pure: boolean, tape: Tape | null): void {
    const scope = tape === null ? activeScope() : tapeScope();
    if (scope === null) {
      this.#keep({ tensor: tf.keep(tensor), data: null, key, pure });
      return;
    }
    moveToScope(tensor, scope);
    this.#local = { tensor, key, scope, tape: tape && tapeNumber(tape), generation: generationOf(pure) };
    if (tape === null || !pure) this.#keepBeside(tensor, key, pure);
    else this.#dropUnusable();
  }

  /** Frees the held values. A value that law L4 promises for longer stays alive. */
  clear(): void {
    this.#local = null;
    for (const { tensor, pure } of this.#take()) {
      if (pure) this.#end(tensor);
      else retire(tensor);
    }
  }

  // The scope does not own the values of a pure chain.
  leaveScope(handedOver: ReadonlySet<Tensor>): void {
    const tensors = [this.#lent, this.#kept]
      .filter((entry) => entry?.pure === false)
      .map((entry) => entry?.tensor);
    if (this.#lent?.pure === false) this.#lent = null;
    if (this.#kept?.pure === false) {
      this.#kept.data?.free();
      this.#kept = null;
    }
    for (const tensor of tensors) {
      if (tensor != null && handedOver.has(tensor)) release(tensor);
      else tensor?.dispose();
    }
  }

  #mayServe(entry: LocalEntry, tape: Tape | null): boolean {
    if (entry.tensor.isDisposed || !isOpen(entry.scope)) return false;
    if (tape !== null && entry.tape !== tapeNumber(tape)) return false;
    return entry.generation === null || (inCacheScope() && entry.generation === cacheGeneration());
  }

  #serveKept(kept: KeptEntry): Tensor {
    if (kept.tensor === null) this.#endLent();
    const scope = activeScope();
    if (scope === null) {
      if (kept.tensor === null) {
        kept.tensor = tf.keep(kept.data!.tensor());
        kept.data!.free();
        kept.data = null;
      }
      return kept.tensor;
    }
    const tensor = kept.tensor === null ? kept.data!.tensor() : alias(kept.tensor);
    if (!inKernel()) {
      const { key, pure } = kept;
      this.#local = { tensor, key, scope, tape: null, generation: generationOf(pure) };
    }
    return tensor;
  }

  /** Keeps the value of a read in a tidy beyond that tidy. It replaces a borrowed value, which this read has ended. */
  #keepBeside(tensor: Tensor, key: DependencyKey, pure: boolean): void {
    const borrowed = this.#kept?.pure === true ? this.#kept.tensor : null;
    this.#keep(
      pure && borrowed !== null
        ? { tensor: tf.keep(alias(tensor)), data: null, key, pure }
        : { tensor: null, data: new HeldData(tensor), key, pure },
    );
  }

  /**
   * Frees data that a read on a tape found stale. Such a read keeps no new data, because in training that would be an
   * unused copy of every weight.
   */
  #dropUnusable(): void {
    const kept = this.#kept;
    if (kept !== null && kept.tensor === null && !isFresh(kept.key)) this.#dropKept();
  }

  #keep(entry: KeptEntry): void {
    const before = this.#kept;
    if (currentTape() !== null && before !== null && before.tensor !== null) {
      // A read on a tape ends no value that a caller may hold.
      if (!before.pure && !before.tensor.isDisposed && isFresh(before.key)) {
        entry.data?.free();
        return;
      }
      this.#lent = { tensor: before.tensor, pure: before.pure };
      this.#kept = null;
    }
    this.#dropKept();
    if (currentTape() === null) this.#endLent();
    this.#kept = entry;
    if (!entry.pure) joinScope(this);
  }

  #dropKept(): void {
    const kept = this.#kept;
    if (kept === null) return;
    this.#kept = null;
    kept.data?.free();
    if (kept.tensor !== null) this.#end(kept.tensor);
  }

  #endLent(): void {
    if (this.#lent !== null) this.#end(this.#lent.tensor);
    this.#lent = null;
  }

  /** Ends a borrowed value. A later use of it throws an error that names the owner. */
  #end(tensor: Tensor): void {
    endTensor(tensor, () => endedValue(this.#label));
  }

  /** Removes the values that are held beyond every tidy. Returns the tensors that callers got. */
  #take(): { readonly tensor: Tensor; readonly pure: boolean }[] {
    const given = [this.#lent, this.#kept].flatMap((entry) =>
      entry === null || entry.tensor === null ? [] : [{ tensor: entry.tensor, pure: entry.pure }],
    );
    this.#kept?.data?.free();
    this.#lent = null;
    this.#kept = null;
    quitScope(this);
    return given;
  }
}

/**
 * True if a new value may be stored. In the forward of a `tf.customGrad` nothing is recorded, so a stored value would
 * lose the gradient of a later read.
 *
 * @param pure - true if the chain is a function of its dependencies only
 */
export const mayKeep = (pure: boolean): boolean => (pure || inCacheScope()) && !inKernel();

const isThere = ({ tensor, data }: KeptEntry): boolean =>
  tensor === null ? data!.isThere : !tensor.isDisposed;

const generationOf = (pure: boolean): number | null => (pure ? null : cacheGeneration());
