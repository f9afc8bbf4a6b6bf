/**
 * Declared edits of a request's body: another model name, members removed, members set. JSON text is patched where it
 * has to change and nowhere else, so key order, spacing and big numbers of the rest survive.
 */
import { patchJsonObject } from '../base/json-patch.ts';
import { lastMember, scanJsonObject } from '../base/json-scan.ts';
import type { ParamPath, SetParam } from '../config/models.ts';
import type { RequestEdits } from '../engines/backend.ts';

/** `requested`: the name that the client asked for, which may have parameters of its own. A body that is no JSON object stays as it is. */
export function editJsonBody(body: Buffer, edits: RequestEdits, requested: string | undefined): Buffer {
  const { model, filters } = edits;
  const byId = requested === undefined ? undefined : filters.setParamsById.get(requested);
  let edited = body;
  if (model !== undefined) edited = setAt(edited, ['model'], JSON.stringify(model));
  for (const path of filters.stripParams) edited = removeAt(edited, path);
  for (const { path, json } of filters.setParams) edited = setAt(edited, path, json);
  for (const { path, json } of byId ?? []) edited = setAt(edited, path, json);
  return edited;
}

/** True when the edits would change nothing, so that a body need not be looked at. */
export function areNoEdits({ model, filters }: RequestEdits): boolean {
  return (
    model === undefined &&
    filters.stripParams.length === 0 &&
    filters.setParams.length === 0 &&
    filters.setParamsById.size === 0
  );
}

function setAt(object: Buffer, path: ParamPath, json: SetParam['json']): Buffer {
  const [key, ...rest] = path;
  if (key === undefined) return object;
  const value =
    rest.length === 0 ? json : setAt(innerObject(object, key) ?? Buffer.from('{}'), rest, json).toString();
  return patchJsonObject(object, { set: { [key]: value } }) ?? object;
}

function removeAt(object: Buffer, path: ParamPath): Buffer {
  const [key, ...rest] = path;
  if (key === undefined) return object;
  if (rest.length === 0) return patchJsonObject(object, { remove: [key] }) ?? object;
  const inner = innerObject(object, key);
  if (inner === undefined) return object;
  return patchJsonObject(object, { set: { [key]: removeAt(inner, rest).toString() } }) ?? object;
}

/** The bytes of a member that is an object itself. */
function innerObject(object: Buffer, key: string): Buffer | undefined {
  const scanned = scanJsonObject(object);
  const member = scanned === undefined ? undefined : lastMember(scanned, key);
  return member?.kind === 'object' ? object.subarray(member.start, member.end) : undefined;
}
