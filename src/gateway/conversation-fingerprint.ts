/**
 * A name for a conversation that says nothing of itself: a hash over what stays the same in all of its turns, the system
 * text and the first turn of the user. Reads only these few values of the body, in place.
 */
import { TextDigest } from '../base/text-digest.ts';
import { lastMember, scanArray, scanObjectAt } from '../base/json-scan.ts';
import type { JsonObjectSpan, JsonSpan, LongStrings } from '../base/json-scan.ts';
import { tryDecodeString } from '../base/json-string.ts';
import type { BodyFacts } from './peek.ts';

/** A conversation whose user has not spoken within so many messages has none. */
const leadingMessagesMax = 64;
/** Of a longer text the beginning, the end and the length are hashed: megabytes are pasted into first turns. */
const headBytes = 2 * 1024;
const tailBytes = 2 * 1024;
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
  const source = { body, longStrings: object.longStrings };
  const digest = new TextDigest();
  digest.addText(model);
  for (const key of ['system', 'instructions']) {
    const text = lastMember(object, key);
    if (text !== undefined && text.kind !== 'null') addContent(digest, source, text);
  }
  return addLeadingTurns(digest, source, turns) ? digest.toString() : undefined;
}

interface Source {
  readonly body: Buffer;
  readonly longStrings: LongStrings;
}

/** Returns whether the user spoke. */
function addLeadingTurns(digest: TextDigest, source: Source, turns: JsonSpan): boolean {
  if (turns.kind === 'string') {
    addContent(digest, source, turns);
    return true;
  }
  const { body, longStrings } = source;
  let spoken = false;
  let count = 0;
  scanArray(body, turns, longStrings, (element) => {
    const message = scanObjectAt(body, element.start, element.end, longStrings);
    const role = message === undefined ? undefined : roleOf(body, message);
    const content = message === undefined ? undefined : lastMember(message, 'content');
    spoken = role === 'user';
    if (content !== undefined && (spoken || role === 'system' || role === 'developer')) {
      addContent(digest, source, content);
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
function addContent(digest: TextDigest, source: Source, content: JsonSpan): void {
  if (content.kind !== 'array') {
    addSpan(digest, source.body, content);
    return;
  }
  scanArray(source.body, content, source.longStrings, (part) => {
    addPart(digest, source, part);
    return true;
  });
}

function addPart(digest: TextDigest, { body, longStrings }: Source, part: JsonSpan): void {
  const object = scanObjectAt(body, part.start, part.end, longStrings);
  const text = object === undefined ? undefined : lastMember(object, 'text');
  if (object === undefined || text?.kind === 'string') addSpan(digest, body, text ?? part);
  else {
    for (const member of object.members) {
      if (member.key !== 'cache_control') addSpan(digest, body, member);
    }
  }
}

function addSpan(digest: TextDigest, body: Buffer, { start, end }: JsonSpan): void {
  if (isChangingText(body, start)) return;
  const length = end - start;
  if (length <= headBytes + tailBytes) digest.addBytes(body, start, end);
  else {
    digest.addBytes(body, start, start + headBytes);
    digest.addBytes(body, end - tailBytes, end);
  }
  // Also the border to what comes next.
  digest.addNumber(length);
}

/** Whether the text whose quote is at `start` differs in each request although the conversation is the same. */
export function isChangingText(body: Buffer, start: number): boolean {
  // The first byte is a quote in all of them; the second one tells nearly all apart.
  return (
    body[start + 1] === changingText[1] &&
    body.subarray(start, start + changingText.length).equals(changingText)
  );
}
