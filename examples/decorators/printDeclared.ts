import { type AnyClass, parametrizationsOf } from 'tfjs-parametrize/decorators';

/** Prints what a class declares; no object of it exists yet. */
export function printDeclared(title: string, type: AnyClass): void {
  console.log(title);
  for (const declared of parametrizationsOf(type)) console.log(`  ${declared}`);
}
