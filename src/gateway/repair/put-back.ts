/** Writes a changed request back into the body that it was read from: members that the change does not touch keep their bytes. */
import { patchJsonObject } from '../../base/json-patch.ts';
import { scanJsonObject } from '../../base/json-scan.ts';
import type { Dialect } from '../../dialects/dialect.ts';
import type { ModelRequest } from '../../dialects/ir/request.ts';
import type { EngineHabits } from '../../domain/engine-habits.ts';

export interface Change {
  /** As it was read from the body. */
  readonly from: ModelRequest;
  readonly to: ModelRequest;
}

/** undefined = the request cannot be written in its own dialect. `habits`: of the engine that gets the body. */
export function putBack(
  body: Buffer,
  { from, to }: Change,
  { dialect, habits }: { readonly dialect: Dialect; readonly habits: EngineHabits },
): Buffer | undefined {
  const target = { habits: asSaid(habits), onDropped: () => undefined };
  const before = dialect.writeRequest(from, target);
  const after = dialect.writeRequest(to, target);
  const object = scanJsonObject(body);
  if (before === undefined || after === undefined || object === undefined) return undefined;
  const set: Record<string, string> = {};
  const remove: string[] = [];
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const value: string | undefined = JSON.stringify(after[key]);
    if (JSON.stringify(before[key]) === value) continue;
    if (value === undefined) remove.push(key);
    else set[key] = value;
  }
  return patchJsonObject(body, { set, remove }, object);
}

/** What the client said reached the engine as it was, so nothing is put differently or left out now. */
function asSaid(habits: EngineHabits): EngineHabits {
  return {
    ...habits,
    unknownMembers: 'ignored',
    takesDeveloperRole: true,
    takesToolChoice: true,
    takesImageUrls: true,
  };
}
