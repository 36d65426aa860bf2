/**
 * Adds to package-lock.json the binary packages of other platforms that npm has left out.
 *
 * npm writes only those optional packages that it could look up, and `npm ci` then refuses the lockfile because the others
 * are missing. Their names tell what they are for, and their versions are exact, so that they can be added without asking.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const systems = ['android', 'darwin', 'freebsd', 'linux', 'openbsd', 'openharmony', 'win32'];
const processors = ['arm', 'arm64', 'ia32', 'loong64', 'ppc64', 'riscv64', 's390x', 'x64'];

const path = new URL('../package-lock.json', import.meta.url);
const lock = JSON.parse(readFileSync(path, 'utf8'));

/** Whether a package finds another one in its own node_modules or in one further up. */
function isInstalled(from, name) {
  for (let folder = from; ; folder = folder.slice(0, Math.max(folder.lastIndexOf('/node_modules/'), 0))) {
    if (`${folder}${folder && '/'}node_modules/${name}` in lock.packages) return true;
    if (folder === '') return false;
  }
}

function entryOf(name, version, { dev }) {
  const words = name.split(/[/-]/);
  const os = systems.filter((system) => words.includes(system));
  const cpu = processors.filter((processor) => words.includes(processor));
  if (os.length !== 1 || cpu.length !== 1 || !/^\d+\.\d+\.\d+$/.test(version)) {
    throw new Error(`Cannot tell what ${name} ${version} is for. Add it by hand.`);
  }
  const libc = words.some((word) => word.startsWith('musl')) ? 'musl' : 'glibc';
  return {
    version,
    cpu,
    ...(dev && { dev }),
    ...(os[0] === 'linux' && { libc: [libc] }),
    optional: true,
    os,
  };
}

const added = [];
for (const [from, entry] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    if (isInstalled(from, name)) continue;
    lock.packages[`node_modules/${name}`] = entryOf(name, version, entry);
    added.push(`${name} ${version}`);
  }
}
lock.packages = Object.fromEntries(
  Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, 'en')),
);
if (added.length > 0) writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);
console.log(added.length > 0 ? `Added:\n  ${added.join('\n  ')}` : 'Complete.');
