import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { activeScope, alias, isOpen, moveToScope, release, type Scope, tapeScope } from '../engine/scope.ts';
import { currentTape, inKernel, type Tape } from '../engine/tape.ts';
import {
  cacheGeneration,
  inCacheScope,
  joinScope,
  quitScope,
  retire,
  type ScopeMember,
} from './cacheScope.ts';
import { type DependencyKey, isFresh } from './dependencyKey.ts';

/** What the cache stands in front of. */
export interface Evaluated {
  /** Evaluates the chain; the tensor belongs to the innermost tidy, or to the caller outside of all. */
  evaluate(): Tensor;
  /** The key of what the last evaluation depended on. */
  key(): DependencyKey;
  /** Whether the chain is a function of its dependencies only, in the mode that it is in. */
  isPure(): boolean;
}

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

/** A value that the framework holds outside of every tidy. */
interface KeptEntry {
  readonly tensor: Tensor;
  readonly key: DependencyKey;
  readonly pure: boolean;
  /** Somebody was given this very tensor outside of every tidy. */
  handedOut: boolean;
}

/**
 * The values of one parametrized tensor that reads may share.
 *
 * Note [Ownership of reads] (law L4). A read inside a tidy gets a tensor of that tidy: the evaluation itself, or an alias
 * of the kept value. On a tape it is the evaluation that this tape recorded, and it lives in the tidy of the tape. Outside
 * of every tidy it is the kept value: of a pure chain *borrowed*, replaced by the first read after a dependency changed,
 * and otherwise the framework's until the last cache scope ends, which is why a stale one is retired and not disposed.
 * Two entries, because they end differently: no scope's end, and no read on a tape, may end a borrowed value.
 */
export class EvaluationCache implements ScopeMember {
  readonly #source: Evaluated;
  #local: LocalEntry | null = null;
  #kept: KeptEntry | null = null;

  constructor(source: Evaluated) {
    this.#source = source;
  }

  /** The value at this moment, from an entry or by an evaluation. */
  read(): Tensor {
    const tape = currentTape();
    const local = this.#local;
    if (local !== null && this.#mayServe(local, tape) && isFresh(local.key)) return local.tensor;
    if (tape === null) {
      const kept = this.#kept;
      if (kept !== null && !kept.tensor.isDisposed && isFresh(kept.key)) return this.#serveKept(kept);
    }
    return this.#evaluate(tape);
  }

  /** Frees what is held; values that the rules of L4 promise longer stay alive as long. */
  clear(): void {
    this.#local = null;
    this.#dropKept();
  }

  // Only called while the kept value is the scope's: a borrowed one has quit.
  leaveScope(handedOver: ReadonlySet<Tensor>): void {
    const kept = this.#kept;
    if (kept === null) return;
    this.#kept = null;
    if (handedOver.has(kept.tensor)) release(kept.tensor);
    else kept.tensor.dispose();
  }

  #mayServe(entry: LocalEntry, tape: Tape | null): boolean {
    if (entry.tensor.isDisposed || !isOpen(entry.scope)) return false;
    if (tape !== null && entry.tape?.deref() !== tape) return false;
    return entry.generation === null || (inCacheScope() && entry.generation === cacheGeneration());
  }

  #serveKept(kept: KeptEntry): Tensor {
    const scope = activeScope();
    if (scope === null) {
      if (!kept.handedOut) {
        kept.handedOut = true;
        if (isBorrowed(kept)) quitScope(this);
      }
      return kept.tensor;
    }
    const tensor = alias(kept.tensor);
    if (!inKernel())
      this.#local = { ...kept, tensor, scope, tape: null, generation: generationOf(kept.pure) };
    return tensor;
  }

  #evaluate(tape: Tape | null): Tensor {
    const tensor = this.#source.evaluate();
    const pure = this.#source.isPure();
    // In the forward of a customGrad nothing was recorded: an entry would lose the gradient of a later read.
    if (inKernel() || !(pure || inCacheScope())) return tensor;
    const key = this.#source.key();
    const scope = tape === null ? activeScope() : tapeScope();
    if (scope === null) {
      this.#keep({ tensor: tf.keep(tensor), key, pure, handedOut: true });
      return tensor;
    }
    moveToScope(tensor, scope);
    this.#local = { tensor, key, scope, tape: tape && new WeakRef(tape), generation: generationOf(pure) };
    if (this.#keepsBeside(tape, pure)) {
      const handedOut = pure && this.#kept !== null && isBorrowed(this.#kept);
      this.#keep({ tensor: tf.keep(alias(tensor)), key, pure, handedOut });
    }
    return tensor;
  }

  /**
   * Whether the value of a read in a tidy is also kept beyond that tidy: in a cache scope, for the tidies to come; for a
   * pure chain also in place of a borrowed value, which this read has ended. On a tape only an impure value is kept, so
   * that a draw is drawn once; a pure one would hold a copy of every weight through the whole training step for nothing.
   */
  #keepsBeside(tape: Tape | null, pure: boolean): boolean {
    if (tape !== null) return !pure;
    return inCacheScope() || this.#kept !== null;
  }

  #keep(entry: KeptEntry): void {
    this.#dropKept(currentTape() !== null);
    this.#kept = entry;
    if (!isBorrowed(entry)) joinScope(this);
  }

  /** @param onTape - a read on a tape replaces the value: it ends nothing that somebody may hold. */
  #dropKept(onTape = false): void {
    const kept = this.#kept;
    if (kept === null) return;
    this.#kept = null;
    quitScope(this);
    if (kept.handedOut && (onTape || !kept.pure)) retire(kept.tensor);
    else kept.tensor.dispose();
  }
}

/** A borrowed value outlives every cache scope. */
const isBorrowed = (entry: KeptEntry): boolean => entry.pure && entry.handedOut;

const generationOf = (pure: boolean): number | null => (pure ? null : cacheGeneration());
