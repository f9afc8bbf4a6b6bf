/** `macros` of the file, global or of one model, as a list in the order of definition. */
import type { Report } from './fill-tree.ts';
import { faultOfMacroName, macroOf } from './macros.ts';
import type { Macro } from './macros.ts';
import type { ConfigPath } from './problems.ts';
import { shownText } from './problems.ts';
import type { TreeNode } from './tree.ts';

export interface MacroPlace {
  readonly path: ConfigPath;
  /** Before every message: whose macros they are. */
  readonly prefix: string;
  readonly report: Report;
}

/** The macros that are good; what is wrong with the others is reported. */
export function readMacros(node: TreeNode | undefined, { path, prefix, report }: MacroPlace): Macro[] {
  if (node === undefined || (node.kind === 'scalar' && node.value === null)) return [];
  if (node.kind !== 'map') {
    const message = `${prefix}macros must be a map of names to values`;
    report({ path, offset: node.offset, message, code: 'config_invalid' });
    return [];
  }
  const macros: Macro[] = [];
  for (const [name, { node: value, keyOffset }] of node.entries) {
    const reject = (offset: number, message: string): void =>
      report({ path: [...path, name], offset, message: prefix + message, code: 'config_invalid' });
    const fault = faultOfMacroName(name);
    if (fault !== undefined) reject(keyOffset, shownText(fault, 200));
    else if (value.kind !== 'scalar' || value.value === null)
      reject(keyOffset, `macro '${name}' must be a scalar type (string, int, float or bool)`);
    else {
      try {
        macros.push(macroOf(name, value));
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        reject(value.offset, error.message);
      }
    }
  }
  return macros;
}
