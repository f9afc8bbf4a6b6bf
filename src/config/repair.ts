/** Cuts what is wrong out of a configuration, so that the cross checks can judge the rest in the same run. */
import { copyExactJson } from '../base/exact-json.ts';
import { explainIssues } from './explain.ts';
import type { Finding } from './problems.ts';
import { configSchema } from './schema.ts';
import type { Config } from './schema.ts';

/** Each further round can only uncover a key that is missing now. */
const repairRoundsMax = 5;

/** A configuration without the parts that are wrong, for the checks that look at the rest; undefined if nothing remains. */
export function repaired(value: unknown, findings: readonly Finding[]): Config | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const rest = copyExactJson(value);
  let wrong = findings;
  for (let round = 0; round < repairRoundsMax; round += 1) {
    for (const { path } of wrong) cut(rest, path);
    const parsed = configSchema.safeParse(rest);
    if (parsed.success) return parsed.data;
    wrong = explainIssues(parsed.error.issues);
  }
  return undefined;
}

/** Removes what a path names; a list goes as a whole, and with a missing key the map that lacks it. */
function cut(root: object, path: Finding['path']): void {
  let parent: Record<string, unknown> = root as Record<string, unknown>;
  let above: { map: Record<string, unknown>; key: string } | undefined;
  for (const [depth, segment] of path.entries()) {
    const key = String(segment);
    const child = parent[key];
    if (!Object.hasOwn(parent, key)) {
      if (above !== undefined) delete above.map[above.key];
      return;
    }
    const isEnd = depth === path.length - 1 || Array.isArray(child);
    if (isEnd || typeof child !== 'object' || child === null) {
      delete parent[key];
      return;
    }
    above = { map: parent, key };
    parent = child as Record<string, unknown>;
  }
}
