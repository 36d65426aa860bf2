export * as nn from './nn/index.ts';
