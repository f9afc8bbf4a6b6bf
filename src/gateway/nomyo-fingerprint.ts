/**
 * The name that nomyo-router gives to a conversation, by the same recipe: SHA-1 over the model and the texts up to the first
 * turn of the user. Says nothing of who asks: two users with one opening share it. Reads only these texts of the body.
 */
import { hash } from 'node:crypto';
import { lastMember, scanArray, scanObjectAt } from '../base/json-scan.ts';
import type { JsonObjectSpan, JsonSpan } from '../base/json-scan.ts';
import { tryDecodeString } from '../base/json-string.ts';
import type { BodyFacts } from './peek.ts';

/** Between the parts, and for a request without a model. */
const separator = '\u001f';
const noModel = '_';

/** Hexadecimal; undefined = the body has neither `messages` nor a `prompt`. */
export function nomyoFingerprint(
  { object }: Pick<BodyFacts, 'object'>,
  body: Buffer,
  model: string,
): string | undefined {
  if (object === undefined) return undefined;
  const messages = lastMember(object, 'messages');
  const prompt = lastMember(object, 'prompt');
  const parts = [model === '' ? noModel : model];
  if (messages?.kind === 'array') parts.push(...openingOf({ object, body }, messages));
  else if (prompt?.kind === 'string') parts.push(`user:${textOf(body, prompt)}`);
  else return undefined;
  // Half a pair of surrogates has no UTF-8.
  return hash('sha1', parts.join(separator).replaceAll(/\p{Surrogate}/gu, '?'));
}

interface Source {
  readonly object: JsonObjectSpan;
  readonly body: Buffer;
}

/** What the system says, and the first that the user does. */
function openingOf(source: Source, messages: JsonSpan): string[] {
  const { body, object } = source;
  const parts: string[] = [];
  scanArray(body, messages, object.longStrings, (element) => {
    const message = scanObjectAt(body, element.start, element.end, object.longStrings);
    const role = message === undefined ? undefined : lastMember(message, 'role');
    const who = role?.kind === 'string' ? textOf(body, role) : '';
    if (message === undefined || (who !== 'system' && who !== 'user')) return true;
    parts.push(`${who}:${contentOf(source, lastMember(message, 'content'))}`);
    return who !== 'user';
  });
  return parts;
}

/** A text, or the texts of a list of parts one after the other; whatever else is in it is left out. */
function contentOf({ body, object }: Source, content: JsonSpan | undefined): string {
  if (content?.kind === 'string') return textOf(body, content);
  if (content?.kind !== 'array') return '';
  let texts = '';
  scanArray(body, content, object.longStrings, (element) => {
    const part = scanObjectAt(body, element.start, element.end, object.longStrings);
    const type = part === undefined ? undefined : lastMember(part, 'type');
    const text = part === undefined ? undefined : lastMember(part, 'text');
    if (type?.kind === 'string' && textOf(body, type) === 'text' && text?.kind === 'string') {
      texts += textOf(body, text);
    }
    return true;
  });
  return texts;
}

function textOf(body: Buffer, { start, end }: JsonSpan): string {
  return tryDecodeString(body, start, end) ?? '';
}
