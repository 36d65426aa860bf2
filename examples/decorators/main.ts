import '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { Discriminator, trainDiscriminator } from './discriminator.ts';
import { OrthogonalRnn, trainOrthogonalRnn } from './orthogonalRnn.ts';
import { printDeclared } from './printDeclared.ts';
import { TcnBlock } from './tcnBlock.ts';
import { trainTcn } from './trainTcn.ts';

// Three models that declare their parametrizations, by standard decorators.
tf.enableProdMode();
await tf.setBackend('wasm');
printDeclared('A TCN with weight normalization', TcnBlock);
await trainTcn(150);
printDeclared('A discriminator with spectral normalization', Discriminator);
await trainDiscriminator(200);
printDeclared('A recurrent network with an orthogonal weight', OrthogonalRnn);
await trainOrthogonalRnn(150);
console.log(`${tf.memory().numTensors} tensors are left`);
