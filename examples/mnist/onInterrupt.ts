/** The exit code of a program that SIGINT ended. */
export const interruptedExitCode = 130;

/** Aborts on Ctrl-C; the second one does not wait any longer. */
export function onInterrupt(): AbortSignal {
  const controller = new AbortController();
  process.once('SIGINT', () => {
    controller.abort();
    process.once('SIGINT', () => process.exit(interruptedExitCode));
  });
  return controller.signal;
}
