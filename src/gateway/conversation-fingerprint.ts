/**
 * A name for a conversation that says nothing of itself: a hash over what stays the same in all of its turns, the system
 * text and the first turn of the user. Reads only these few values of the body, in place.
 */
import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';

import { lastMember, scanArrayAt, scanObjectAt, tryDecodeString } from '../base/json-scan.ts';
import type { JsonObjectSpan, JsonSpan } from '../base/json-scan.ts';
import type { BodyFacts } from './peek.ts';

/** A conversation whose user has not spoken within so many messages has none. */
const leadingMessagesMax = 64;
/** Of a longer text the beginning, the end and the length are hashed: megabytes are pasted into first turns. */
const headBytes = 16 * 1024;
const tailBytes = 4 * 1024;
/** Claude Code puts a text block with a new number in front of each request's system text. */
const changingText = Buffer.from('"x-anthropic-billing-header:');

/**
 * The same for every turn of one conversation with one model, hexadecimal; undefined = the body is no conversation
 * (no `messages` or `input` with a user's turn). Knows chat completions, messages and responses by their members.
 */
export function conversationFingerprint(facts: BodyFacts, body: Buffer, model: string): string | undefined {
  const { object } = facts;
  if (object === undefined) return undefined;
  const turns = lastMember(object, 'messages') ?? lastMember(object, 'input');
  if (turns === undefined) return undefined;
  const hash = createHash('sha1').update(model).update('\0');
  for (const key of ['system', 'instructions']) {
    const text = lastMember(object, key);
    if (text !== undefined && text.kind !== 'null') hashContent(hash, body, text);
  }
  return hashLeadingTurns(hash, body, turns) ? hash.digest('hex') : undefined;
}

/** Returns whether the user spoke. */
function hashLeadingTurns(hash: Hash, body: Buffer, turns: JsonSpan): boolean {
  if (turns.kind === 'string') {
    hashContent(hash, body, turns);
    return true;
  }
  let spoken = false;
  let count = 0;
  scanArrayAt(body, turns.start, turns.end, (element) => {
    const message = scanObjectAt(body, element.start, element.end);
    const role = message === undefined ? undefined : roleOf(body, message);
    const content = message === undefined ? undefined : lastMember(message, 'content');
    spoken = role === 'user';
    if (content !== undefined && (spoken || role === 'system' || role === 'developer')) {
      hashContent(hash, body, content);
    }
    count += 1;
    return !spoken && count < leadingMessagesMax;
  });
  return spoken;
}

function roleOf(body: Buffer, message: JsonObjectSpan): string | undefined {
  const role = lastMember(message, 'role');
  return role?.kind === 'string' ? tryDecodeString(body, role.start, role.end) : undefined;
}

/**
 * A text and a list of one text part are the same to a model, and clients change between them; cache marks of a part
 * wander from turn to turn. So only the texts count, and of other parts all but the mark.
 */
function hashContent(hash: Hash, body: Buffer, content: JsonSpan): void {
  if (content.kind !== 'array') {
    hashSpan(hash, body, content);
    return;
  }
  scanArrayAt(body, content.start, content.end, (part) => {
    hashPart(hash, body, part);
    return true;
  });
}

function hashPart(hash: Hash, body: Buffer, part: JsonSpan): void {
  const object = scanObjectAt(body, part.start, part.end);
  const text = object === undefined ? undefined : lastMember(object, 'text');
  if (object === undefined || text?.kind === 'string') hashSpan(hash, body, text ?? part);
  else {
    for (const member of object.members) {
      if (member.key !== 'cache_control') hashSpan(hash, body, member);
    }
  }
}

function hashSpan(hash: Hash, body: Buffer, { start, end }: JsonSpan): void {
  const text = body.subarray(start, end);
  if (text.subarray(0, changingText.length).equals(changingText)) return;
  if (text.length <= headBytes + tailBytes) hash.update(text);
  else {
    hash.update(text.subarray(0, headBytes)).update(text.subarray(-tailBytes)).update(String(text.length));
  }
  hash.update('\0');
}
