/** Modules of Python that no checkpoint has data of: they start programs, change files or run text as code. */
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
 * True if a name of Python is one that only an attack has in a checkpoint. Safety does not depend on it, because
 * nothing is called here; but whoever loads such a file in Python runs it, and should hear of that.
 */
export function isCodeName(module: string, name: string): boolean {
  if (module === 'builtins' || module === '__builtin__') return builtins.has(name.split('.', 1)[0]!);
  return modules.has(module.split('.', 1)[0]!);
}
