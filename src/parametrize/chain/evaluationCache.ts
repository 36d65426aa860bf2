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
import { currentTape, inKernel, type Tape } from '../../engine/tape.ts';
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

/** A value that lives in an open tidy, like any op's result; that tidy disposes it. */
interface LocalEntry {
  readonly tensor: Tensor;
  readonly key: DependencyKey;
  readonly scope: Scope;
  /** The tape that recorded the evaluation. Weakly: a tape holds every tensor that it saved. */
  readonly tape: WeakRef<Tape> | null;
  /** The cache scope that a value of an impure chain may be shared in; null for a pure chain, which needs none. */
  readonly generation: number | null;
}

/** A value that the framework holds beyond every tidy. */
interface KeptEntry {
  /** The tensor that a caller was given outside of every tidy; null until then. */
  tensor: Tensor | null;
  /**
   * The data while there is no tensor. Two fields, because telling the classes apart is half of what a read
   * costs.
   */
  data: HeldData | null;
  readonly key: DependencyKey;
  readonly pure: boolean;
}

/**
 * The values of one parametrized tensor that reads may share.
 *
 * Note [Ownership of reads] (law L4). A read inside a tidy gets a tensor of that tidy: the evaluation itself, or an
 * alias of the kept value. On a tape it is the evaluation that this tape recorded, and it lives in the tidy of the
 * tape. Outside of every tidy it is the kept value: of a pure chain *borrowed*, replaced by the first read after a
 * dependency changed, and otherwise likewise, but the last cache scope ends it at the latest. Two entries, because they
 * end differently: no read on a tape may end a borrowed value. One that such a read finds stale, and replaces, is lent
 * until the next read on no tape: so a loop in a cache scope holds one tensor, not one a step.
 *
 * A value that no caller was given is kept as data without a tensor: so a read in a tidy leaves no tensor behind, and
 * the next call of a model whose weights did not change finds their values, in the very buffers that the backend may
 * have prepared.
 */
export class EvaluationCache implements ScopeMember {
  /** The number of reads of the tensor. */
  reads = 0;
  /** The number of evaluations of the chain. */
  evaluations = 0;
  readonly #label: string;
  #local: LocalEntry | null = null;
  #kept: KeptEntry | null = null;
  /**
   * The tensor that a caller was given before a read on a tape replaced the entry; the next read on no tape ends it.
   */
  #lent: { readonly tensor: Tensor; readonly pure: boolean } | null = null;

  /** @param label - the name of the tensor in messages */
  constructor(label: string) {
    this.#label = label;
  }

  /** The value that a reader on a tape, or on none, may share, or null. */
  find(tape: Tape | null): Tensor | null {
    const local = this.#local;
    if (local !== null && this.#mayServe(local, tape) && isFresh(local.key)) return local.tensor;
    if (tape !== null) return null;
    const kept = this.#kept;
    return kept !== null && isThere(kept) && isFresh(kept.key) ? this.#serveKept(kept) : null;
  }

  /**
   * Stores an evaluation for later reads; the reader gets the tensor itself.
   *
   * @param key - what the evaluation depended on
   * @param pure - whether the chain was a function of its dependencies only
   * @param tape - the tape that recorded the evaluation
   */
  store(tensor: Tensor, key: DependencyKey, pure: boolean, tape: Tape | null): void {
    const scope = tape === null ? activeScope() : tapeScope();
    if (scope === null) {
      this.#keep({ tensor: tf.keep(tensor), data: null, key, pure });
      return;
    }
    moveToScope(tensor, scope);
    this.#local = { tensor, key, scope, tape: tape && new WeakRef(tape), generation: generationOf(pure) };
    if (tape === null || !pure) this.#keepBeside(tensor, key, pure);
    else this.#dropUnusable();
  }

  /** Frees what is held; values that the rules of L4 promise longer stay alive as long. */
  clear(): void {
    this.#local = null;
    for (const { tensor, pure } of this.#take()) {
      if (pure) this.#end(tensor);
      else retire(tensor);
    }
  }

  // The values of a pure chain are not the scope's.
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
    if (tape !== null && entry.tape?.deref() !== tape) return false;
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

  /** Keeps the value of a read in a tidy beyond that tidy; in place of a borrowed one, which this read has ended. */
  #keepBeside(tensor: Tensor, key: DependencyKey, pure: boolean): void {
    const borrowed = this.#kept?.pure === true ? this.#kept.tensor : null;
    this.#keep(
      pure && borrowed !== null
        ? { tensor: tf.keep(alias(tensor)), data: null, key, pure }
        : { tensor: null, data: new HeldData(tensor), key, pure },
    );
  }

  /**
   * Frees data that a read on a tape found stale. Such a read keeps none in their place: in training they would be a
   * copy of every weight that no later step uses.
   */
  #dropUnusable(): void {
    const kept = this.#kept;
    if (kept !== null && kept.tensor === null && !isFresh(kept.key)) this.#dropKept();
  }

  #keep(entry: KeptEntry): void {
    const before = this.#kept;
    if (currentTape() !== null && before !== null && before.tensor !== null) {
      // A read on a tape ends nothing that somebody may hold.
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

  /** Ends a borrowed value; who still uses it is told why it is gone. */
  #end(tensor: Tensor): void {
    endTensor(tensor, () => endedValue(this.#label));
  }

  /** Empties the cache of what is held beyond every tidy; returns the tensors that somebody was given. */
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
 * True if a value that was just evaluated may be stored. In the forward of a `tf.customGrad` nothing was recorded: an
 * entry would lose the gradient of a later read.
 *
 * @param pure - whether the chain is a function of its dependencies only
 */
export const mayKeep = (pure: boolean): boolean => (pure || inCacheScope()) && !inKernel();

const isThere = ({ tensor, data }: KeptEntry): boolean =>
  tensor === null ? data!.isThere : !tensor.isDisposed;

const generationOf = (pure: boolean): number | null => (pure ? null : cacheGeneration());
