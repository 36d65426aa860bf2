/** Modules of Python that start programs, change files or run text as code. No checkpoint has data of them. */
const modules = new Set([
  'os',
  'posix',
  'nt',
  'sys',
  'subprocess',
  'pty',
  'shutil',
  'socket',
  'runpy',
  'code',
  'codeop',
  'importlib',
  'ctypes',
  'webbrowser',
  'commands',
  'popen2',
  'pdb',
]);

const builtins = new Set([
  'eval',
  'exec',
  'execfile',
  'compile',
  'open',
  'input',
  'breakpoint',
  '__import__',
  'apply',
  'globals',
  'locals',
  'vars',
  'setattr',
  'delattr',
]);

/**
 * True for a name of Python that only an attack puts into a checkpoint. Safety here does not depend on this test,
 * because nothing is called. But loading such a file in Python would run it, so the user gets an error.
 */
export function isCodeName(module: string, name: string): boolean {
  if (module === 'builtins' || module === '__builtin__') return builtins.has(name.split('.', 1)[0]!);
  return modules.has(module.split('.', 1)[0]!);
}
