/** One small damage to the source that the tests must notice. */
export interface Mutation {
  /** What the damage takes away. */
  readonly name: string;
  /** The law that it breaks. */
  readonly law: string;
  readonly file: string;
  /** What is replaced by what; each text stands once in the file. */
  readonly edits: readonly (readonly [find: string, replacement: string])[];
  /** The tests that must notice it. Default: those of the mechanism, of the maps and of models. */
  readonly tests?: readonly string[];
}

const cache = 'src/parametrize/chain/evaluationCache.ts';
const key = 'src/parametrize/chain/dependencyKey.ts';
const register = 'src/parametrize/verbs/register.ts';
const remove = 'src/parametrize/verbs/planRemoval.ts';

/** Each is applied alone. A text that is not found once is an error, so that the list cannot rot. */
export const mutations: readonly Mutation[] = [
  {
    name: 'no version check of the variables',
    law: 'L3',
    file: key,
    edits: [['variables[i]!.dataId !== dataIds[i] || ', '']],
  },
  {
    name: 'no check of the training mode',
    law: 'L3',
    file: key,
    edits: [['modules[i]!.training !== trainings[i]', 'false']],
  },
  { name: 'no check of raised versions', law: 'L3', file: key, edits: [['!hasSameVersions(key)', 'false']] },
  {
    name: 'no check of replaced fields',
    law: 'L3',
    file: key,
    edits: [['key.fields !== null && !holdsSame(key.fields)', 'false']],
  },
  {
    name: 'no tape check',
    law: 'L2',
    file: cache,
    edits: [['tape !== null && entry.tape !== tapeNumber(tape)', 'false']],
  },
  {
    name: 'a kept value is served on a tape',
    law: 'L2',
    file: cache,
    edits: [['    if (tape !== null) return null;\n', '']],
  },
  {
    name: 'an entry is made in the forward of a customGrad',
    law: 'L3',
    file: cache,
    edits: [['(pure || inCacheScope()) && !inKernel()', '(pure || inCacheScope())']],
  },
  {
    name: 'the key is taken before the evaluation',
    law: 'L3',
    file: 'src/parametrize/chain/parametrizationList.ts',
    edits: [
      ['cache.store(value, dependencyKey(this, modules), pure, tape)', 'cache.store(value, key, pure, tape)'],
      [
        'if (found !== null) return found;\n',
        'if (found !== null) return found;\n    const key = dependencyKey(this);\n',
      ],
    ],
  },
  {
    name: 'a borrowed value ends with the cache scope',
    law: 'L4',
    file: cache,
    edits: [['if (!entry.pure) joinScope(this);', 'joinScope(this);']],
  },
  {
    name: 'data that were kept are not freed',
    law: 'L4',
    file: cache,
    edits: [['kept.data?.free();\n    if (kept.tensor', 'if (kept.tensor']],
  },
  {
    name: 'stale data are kept through a training step',
    law: 'L4',
    file: cache,
    edits: [['else this.#dropUnusable();', '']],
  },
  {
    name: 'a read in a tidy keeps a tensor',
    law: 'L4',
    file: cache,
    edits: [['pure && borrowed !== null\n', 'pure\n']],
  },
  {
    name: 'the kept value itself is handed out in a tidy',
    law: 'L4',
    file: cache,
    edits: [['kept.data!.tensor() : alias(kept.tensor);', 'kept.data!.tensor() : kept.tensor;']],
  },
  {
    name: 'a value on a tape stays in the tidy that read it',
    law: 'L2',
    file: cache,
    edits: [['    moveToScope(tensor, scope);\n', '']],
  },
  {
    name: 'a stale value in cached is disposed at once',
    law: 'L4',
    file: cache,
    edits: [['else retire(tensor);', 'else tensor.dispose();']],
  },
  {
    name: 'an impure value outlives its cache scope',
    law: 'L1',
    file: cache,
    edits: [['inCacheScope() && entry.generation === cacheGeneration()', 'true']],
  },
  {
    name: 'no roll-back after a failed registration',
    law: 'L5',
    file: register,
    edits: [['attachment.uninstall(list, variable);', '']],
  },
  {
    name: 'variables of a failed registration are not disposed',
    law: 'L5',
    file: register,
    edits: [['if (original !== variable) undoable(() => disposeVariable(original));', '']],
  },
  {
    name: 'modes are not put back after a failed registration',
    law: 'L5',
    file: 'src/parametrize/chain/moduleState.ts',
    edits: [['if (module.training !== modes[i]) module.training = modes[i]!;', '']],
  },
  {
    name: 'a trial advances the state of the map',
    law: 'L5',
    file: 'src/parametrize/chain/moduleState.ts',
    edits: [
      [
        'inspections--;\n        restoreModes();\n        restore();',
        'inspections--;\n        restoreModes();',
      ],
    ],
  },
  {
    name: 'what a failed right inverse or registration has written is not undone',
    law: 'L5',
    file: 'src/parametrize/chain/moduleState.ts',
    edits: [['        restore();\n        throw error;', '        throw error;']],
  },
  {
    name: 'an assigned tensor of another shape is taken',
    law: 'L5',
    file: 'src/parametrize/chain/assignment.ts',
    edits: [["checkSpec(caller, 'the value', value, list, 'Assign a tensor like the current value.');", '']],
  },
  {
    name: 'the host’s variable is not adopted',
    law: 'L7',
    file: register,
    edits: [['.lastIndexOf(true)', '.indexOf(null as never)']],
  },
  {
    name: 'removal always makes a new variable',
    law: 'L6',
    file: remove,
    edits: [['variables.filter(fits).at(-1)', 'variables.filter(() => false).at(-1)']],
  },
  {
    name: 'removal leaves the other originals alive',
    law: 'L4',
    file: remove,
    edits: [
      [
        'listsWithOriginal(other).size === 0) retireVariable(other)',
        'listsWithOriginal(other).size === 0) void 0',
      ],
    ],
  },
  {
    name: 'the property is deleted and defined anew',
    law: 'L6',
    file: 'src/parametrize/host/tensorAccessor.ts',
    edits: [
      [
        'Object.defineProperty(host, name, { ...attributes, value: variable, configurable: true });',
        'delete (host as Record<string, unknown>)[name];\n      Object.defineProperty(host, name, { ...attributes, value: variable, configurable: true });',
      ],
    ],
  },
  {
    name: 'syncOptimizer keeps slots by position',
    law: 'L7',
    file: 'src/model/optimizerState.ts',
    edits: [['all.map((variable) => position.get(variable));', 'all.map((_, i) => i);']],
  },
  {
    name: 'an insertion at the start keeps the originals',
    law: 'edits',
    file: 'src/parametrize/verbs/edit/planSteps.ts',
    edits: [
      [
        'if (at > 0) return planEdit(caller, site, { steps }, unsafe);',
        'return planEdit(caller, site, { steps }, unsafe);',
      ],
    ],
  },
  {
    name: 'a copy shares the chain of its source',
    law: 'L8',
    file: 'src/parametrize/host/tensorAccessor.ts',
    edits: [['const list = copier.copy(source.list);', 'const list = source.list;']],
  },
  {
    name: 'hidden dependencies are not looked for',
    law: 'L3',
    file: 'src/parametrize/chain/dependencyChecks.ts',
    edits: [['if (hidden.length === 0) return;', 'if (hidden.length >= 0) return;']],
  },
  {
    name: 'weight norm divides by zero in a zero row',
    law: 'weight norm',
    file: 'src/ops/norm/direction.ts',
    edits: [['tf.sqrt(tf.add(squares, zero))', 'tf.sqrt(squares)']],
  },
];
