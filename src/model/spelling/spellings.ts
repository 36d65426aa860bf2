import { registerSpellings } from '../../nn/module/spelling.ts';
import { readStateDict } from './readStateDict.ts';
import { writeStateDict } from './writeStateDict.ts';

// Evaluated for its effect: whoever takes modules from a public entry has state dicts in every spelling.
registerSpellings({ read: readStateDict, write: writeStateDict });
