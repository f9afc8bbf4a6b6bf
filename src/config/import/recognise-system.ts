/** Tells whose configuration a file is that was taken for one of Llamero. Looks at the names of its keys only. */
import { childSchema, rootNode } from '../schema-node.ts';
import { readEnvFile, readForeignMap } from './foreign-value.ts';
import type { ForeignText } from './foreign-value.ts';
import { namesOf } from './read-keys.ts';
import { importableSystems, type ImportableSystem } from './systems.ts';

/** The system with the most keys in the file that Llamero does not have; undefined = none of them has any. Never throws. */
export function tryRecogniseSystem(text: ForeignText): ImportableSystem | undefined {
  const foreign = topLevelKeys(text).filter((key) => childSchema(rootNode, key) === undefined);
  const counts = importableSystems.map((system) => {
    const own = new Set(system.keys.flatMap(namesOf));
    return { system, count: foreign.filter((key) => own.has(key)).length };
  });
  const [first] = counts.filter(({ count }) => count > 0).sort((a, b) => b.count - a.count);
  return first?.system;
}

function topLevelKeys(text: ForeignText): readonly string[] {
  const asMap = readForeignMap(text);
  const read = asMap.ok ? asMap : readEnvFile(text);
  return read.ok ? [...read.map.entries.keys()] : [];
}
