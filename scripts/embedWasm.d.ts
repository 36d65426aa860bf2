/** The file in `src` that holds the compiled module. */
export declare const embeddedFile: string;

/** Returns the TypeScript that holds the compiled module. */
export declare function embedded(): Promise<string>;
