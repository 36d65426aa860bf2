import { typeName } from '../errors.ts';
import type { Module } from './module.ts';

/** A module and all below as torch prints them: one line without children, else one indented block per child. */
export function reprOf(module: Module): string {
  const options = module.extraRepr();
  const children = module.namedChildren().map(([name, child]) => `(${name}): ${indent(child.toString())}`);
  if (children.length === 0) return `${typeName(module)}(${options})`;
  const lines = options === '' ? children : [options, ...children];
  return `${typeName(module)}(\n${lines.map((line) => `  ${line}`).join('\n')}\n)`;
}

const indent = (text: string): string => text.replaceAll('\n', '\n  ');
