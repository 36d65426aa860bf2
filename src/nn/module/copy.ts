import type { Variable } from '@tensorflow/tfjs-core';
import { refusal } from '../../core/errors.ts';
import { formatShape } from '../../core/shapes.ts';
import { isPlainObject } from '../../engine/scope.ts';
import { disposeVariable, isAlive, isVariable, makeVariable } from '../../engine/variable.ts';
import { copyHooks } from './hooks.ts';
import { isBuffer, markBuffer } from './parameter.ts';
import { isSelfMark, markSelf, rawOf } from './rawOf.ts';

/** The key of the method of an object that makes its own copy. Higher folders take part in {@link Copier} by it. */
export const COPY: unique symbol = Symbol.for('tfjs-parametrize.copy') as never;

/** See {@link COPY}. */
export interface Copyable {
  /** Makes the copy. Parts are copied by `copier.copy`, which keeps ties. */
  [COPY](copier: Copier): object;
}

/** Makes the accessor of a copied object that corresponds to an accessor of the source. */
export type CopyAccessor = (copy: object, name: string, copier: Copier) => void;

// The copiers by getter. The code that makes an accessor also says how it is copied.
const accessors = new WeakMap<() => unknown, CopyAccessor>();

/** Sets how accessors with this getter are copied. Other accessors are shared. */
export function copyAccessorBy(get: () => unknown, copyAccessor: CopyAccessor): void {
  accessors.set(get, copyAccessor);
}

/** An object that holds a copy, or is held by one, and the key. */
type Link = [object: object, key: unknown];

function link(links: Map<object, Link[]>, of: object, to: Link): void {
  const list = links.get(of);
  if (list === undefined) links.set(of, [to]);
  else list.push(to);
}

/** See {@link Copier.partsOf}. */
export interface CopiedParts {
  readonly own: ReadonlySet<object>;
  readonly shared: ReadonlySet<object>;
}

/**
 * Makes one independent copy of an object graph.
 *
 * Variables, modules, arrays, `Map`, `Set` and plain objects are copied once each, so objects that are shared in the
 * source are shared in the copy. Everything else is taken by reference. If a part throws, everything made so far is
 * disposed.
 */
export class Copier {
  readonly #copies = new Map<object, object>();
  readonly #parts = new Map<object, Link[]>();
  readonly #holders = new Map<object, Link[]>();
  readonly #whenDone: (() => void)[] = [];
  readonly #undo: (() => void)[] = [];

  /** Copies an object of any class. */
  copyRoot<T extends object>(source: T): T {
    try {
      const copy = this.copyObject(rawOf(source));
      this.#hold(this, 'root', copy);
      for (const done of this.#whenDone) done();
      return copy;
    } catch (error) {
      for (const undo of this.#undo) undo();
      throw error;
    }
  }

  /** Returns the copy of a part, which is always the same for the same part. */
  copy<T>(value: T): T {
    if (typeof value !== 'object' || value === null) return value;
    const raw = rawOf(value as object);
    const known = this.#copies.get(raw);
    if (known !== undefined) return known as T;
    return this.#remember(raw, this.#make(raw)) as T;
  }

  /** Returns the copy of an object that has been copied, or undefined. */
  copyOf(source: object): object | undefined {
    return this.#copies.get(rawOf(source));
  }

  /** Runs a function after everything is copied. */
  whenDone(done: () => void): void {
    this.#whenDone.push(done);
  }

  /**
   * Returns a copy and everything below it, divided by whether another part of the whole copy holds it, too.
   *
   * @param isOwn - true for fields that do not count as another part
   */
  partsOf(root: object, isOwn: (holder: object, key: unknown) => boolean): CopiedParts {
    const all = new Set([root]);
    for (const object of all) for (const [part] of this.#parts.get(object) ?? []) all.add(part);
    const shared = new Set<object>();
    for (const part of all) {
      const holders = this.#holders.get(part) ?? [];
      if (holders.some(([holder, key]) => !all.has(holder) && !isOwn(holder, key))) shared.add(part);
    }
    for (const object of shared) {
      for (const [part, key] of this.#parts.get(object) ?? []) if (!isOwn(object, key)) shared.add(part);
    }
    return { own: new Set([...all].filter((object) => !shared.has(object))), shared };
  }

  /** Takes over an object that a part has copied. It is disposed if a later part throws. */
  adopt<T extends { dispose(): void }>(copy: T): T {
    this.#undo.push(() => copy.dispose());
    return copy;
  }

  #make(value: object): object {
    if (isVariable(value)) return this.#copyVariable(value);
    if (COPY in value) return (value as Copyable)[COPY](this);
    if (Array.isArray(value)) {
      const copy: unknown[] = this.#remember(value, []);
      for (const [i, item] of value.entries()) copy.push(this.#hold(copy, i, this.copy(item)));
      return copy;
    }
    if (value instanceof Map) {
      const copy = this.#remember(value, new Map<unknown, unknown>());
      for (const [key, item] of value) {
        copy.set(this.#hold(copy, key, this.copy(key)), this.#hold(copy, key, this.copy(item)));
      }
      return copy;
    }
    if (value instanceof Set) {
      const copy = this.#remember(value, new Set<unknown>());
      for (const item of value) copy.add(this.#hold(copy, item, this.copy(item)));
      return copy;
    }
    return isPlainObject(value) ? this.copyObject(value) : value;
  }

  /** Copies an object field by field, without running its constructor. */
  copyObject<T extends object>(source: T): T {
    const copy = this.#remember(source, Object.create(Object.getPrototypeOf(source)) as T);
    const isFixed = !Object.isExtensible(source);
    if (COPY in source) markSelf(copy);
    for (const key of Reflect.ownKeys(source)) {
      if (isSelfMark(key)) continue;
      const descriptor = Object.getOwnPropertyDescriptor(source, key)!;
      const copyAccessor = descriptor.get && accessors.get(descriptor.get);
      if (copyAccessor !== undefined) {
        copyAccessor(copy, key as string, this);
        continue;
      }
      // The copy of a frozen or sealed object is neither, because it could not be changed.
      if (isFixed) descriptor.configurable = true;
      if (isFixed && 'value' in descriptor) descriptor.writable = true;
      if ('value' in descriptor) descriptor.value = this.#hold(copy, key, this.copy(descriptor.value));
      Object.defineProperty(copy, key, descriptor);
    }
    copyHooks(source, copy);
    return copy;
  }

  #copyVariable(source: Variable): Variable {
    if (!isAlive(source)) {
      throw refusal(
        'DISPOSED',
        'clone',
        `a variable of shape ${formatShape(source.shape)} has been disposed`,
        'Clone before it is, or make a new one.',
      );
    }
    const copy = makeVariable(source, source.trainable);
    this.#undo.push(() => disposeVariable(copy));
    return isBuffer(source) ? markBuffer(copy) : copy;
  }

  /** Notes that a copy holds a part; returns the part. */
  #hold<T>(holder: object, key: unknown, part: T): T {
    if (typeof part !== 'object' || part === null) return part;
    link(this.#parts, holder, [part, key]);
    link(this.#holders, part, [holder, key]);
    return part;
  }

  #remember<C extends object>(source: object, copy: C): C {
    this.#copies.set(source, copy);
    return copy;
  }
}
