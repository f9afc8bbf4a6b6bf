/**
 * Changes top-level members of a JSON object as text: every byte that is not part of an edit stays, so key order, white
 * space and integers beyond 2^53 survive. Works on what json-scan found; parses nothing itself.
 */
import { lastMember, scanJsonObject } from './json-scan.ts';
import type { JsonMember, JsonObjectSpan } from './json-scan.ts';

export interface JsonEdits {
  /** Key → JSON text of its new value. Replaces every member with that key, else is added at the end. */
  readonly set?: Readonly<Record<string, string>>;
  /** Keys whose members all go. A key in `set` stays. */
  readonly remove?: readonly string[];
  /** What is added to an object that has members, but none of `set`; see `preparedEdits`. */
  readonly addition?: Buffer;
}

/** Edits that are made time and again: what they usually add is put into bytes once. */
export function preparedEdits(set: Readonly<Record<string, string>>): JsonEdits {
  return { set, addition: Buffer.from(`,${membersText(Object.keys(set), set)}`) };
}

/**
 * The edited body; undefined = it is no JSON object. The same buffer when nothing changes.
 * @param object what `scanJsonObject(body)` returned, to spare the second scan.
 */
export function patchJsonObject(
  body: Buffer,
  edits: JsonEdits,
  object: JsonObjectSpan | undefined = scanJsonObject(body),
): Buffer | undefined {
  if (object === undefined) return undefined;
  const pieces = patchInPieces(body, edits, object);
  const [only] = pieces;
  return only !== undefined && pieces.length === 1 ? only : Buffer.concat(pieces);
}

/** As `patchJsonObject`, in pieces that are to be sent one after the other: most of them are parts of `body`, and nothing is copied. */
export function patchInPieces(body: Buffer, edits: JsonEdits, object: JsonObjectSpan): Buffer[] {
  const { members } = object;
  const set = edits.set ?? nothing;
  const end = members.at(-1)?.end;
  if (
    edits.addition !== undefined &&
    end !== undefined &&
    !members.some(({ key }) => Object.hasOwn(set, key))
  )
    return [body.subarray(0, end), edits.addition, body.subarray(end)];
  const removed =
    edits.remove === undefined ? none : new Set(edits.remove.filter((key) => !Object.hasOwn(set, key)));
  const replacements: Replacement[] = [];
  let last: JsonMember | undefined;
  for (const member of members) {
    if (removed.has(member.key)) continue;
    last = member;
    const text = Object.hasOwn(set, member.key) ? set[member.key] : undefined;
    if (text !== undefined) replacements.push({ start: member.start, end: member.end, text });
  }
  if (removed.size > 0 && members.some(({ key }) => removed.has(key)))
    cutMembers(object, removed, replacements);
  const missing = Object.keys(set).filter((key) => lastMember(object, key) === undefined);
  if (missing.length > 0) {
    const added = membersText(missing, set);
    const at = last?.end ?? object.open + 1;
    replacements.push({ start: at, end: at, text: last === undefined ? added : `,${added}` });
  }
  return applyReplacements(body, replacements);
}

function membersText(keys: readonly string[], set: Readonly<Record<string, string>>): string {
  return keys.map((key) => `${JSON.stringify(key)}:${set[key]}`).join(',');
}

const nothing: Readonly<Record<string, string>> = {};
const none: ReadonlySet<string> = new Set();

/** Ranges of one list never overlap. */
interface Replacement {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Cuts each run of removed members together with the commas that would be left over. */
function cutMembers(object: JsonObjectSpan, removed: ReadonlySet<string>, replacements: Replacement[]): void {
  const { members } = object;
  let before: JsonMember | undefined;
  let runStart: JsonMember | undefined;
  for (const member of members) {
    if (removed.has(member.key)) {
      runStart ??= member;
      continue;
    }
    if (runStart !== undefined)
      replacements.push({ start: runStart.keyStart, end: member.keyStart, text: '' });
    runStart = undefined;
    before = member;
  }
  const last = members.at(-1);
  if (runStart === undefined || last === undefined) return;
  replacements.push({
    start: before === undefined ? runStart.keyStart : before.end,
    end: last.end,
    text: '',
  });
}

function applyReplacements(body: Buffer, replacements: Replacement[]): Buffer[] {
  if (replacements.length === 0) return [body];
  // What is added at a place comes before what is cut from there.
  replacements.sort((a, b) => a.start - b.start || a.end - b.end);
  const pieces: Buffer[] = [];
  let from = 0;
  for (const { start, end, text } of replacements) {
    if (start > from) pieces.push(body.subarray(from, start));
    if (text !== '') pieces.push(Buffer.from(text));
    from = end;
  }
  if (from < body.length) pieces.push(body.subarray(from));
  return pieces;
}
