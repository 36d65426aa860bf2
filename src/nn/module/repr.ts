import { typeName } from '../../core/text.ts';
import type { Module } from './module.ts';

const printing = new Set<Module>();

/**
 * Formats a module and all below as torch prints them: one line without children, else the options and one indented
 * block for each child. A module below itself is printed shortened.
 */
export function reprOf(module: Module): string {
  if (printing.has(module)) return `${typeName(module)}(…)`;
  printing.add(module);
  try {
    return blockOf(module);
  } finally {
    printing.delete(module);
  }
}

function blockOf(module: Module): string {
  const options = module.extraRepr();
  const children = module.namedChildren().map(([name, child]) => `(${name}): ${indent(child.toString())}`);
  const lines = options === '' ? [] : options.split('\n');
  if (children.length === 0 && lines.length <= 1) return `${typeName(module)}(${options})`;
  const body = [...lines, ...children];
  return `${typeName(module)}(\n${body.map((line) => `  ${line}`).join('\n')}\n)`;
}

const indent = (text: string): string => text.replaceAll('\n', '\n  ');
