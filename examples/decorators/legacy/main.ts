import '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { printDeclared } from '../printDeclared.ts';
import { TcnBlock } from '../tcnBlock.ts';
import { trainTcn } from '../trainTcn.ts';

// The TCN again, by the decorators of `experimentalDecorators`, which leave a setter on the prototype.
const isLegacy = Object.hasOwn(TcnBlock.prototype, 'conv1');
console.log(`compiled with ${isLegacy ? 'legacy' : 'standard'} decorators`);
tf.enableProdMode();
await tf.setBackend('wasm');
printDeclared('A TCN with weight normalization', TcnBlock);
await trainTcn(150);
