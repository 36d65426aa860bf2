import 'reflect-metadata';

/** Stores metadata at a class, its prototype or its metadata object. */
export const storeMetadata = (key: string, value: unknown, target: object): void =>
  Reflect.defineMetadata(key, value, target);

/** Returns the metadata that was stored at a target itself, or undefined. */
export const ownMetadata = (key: string, target: object): unknown => Reflect.getOwnMetadata(key, target);
