/**
 * Looks into a request body once: which model, streaming or not, where its members are. The body is never changed and
 * never parsed as a whole. What a broken body means for the request is the caller's decision.
 */
import { lastMember, scanJsonObject } from '../base/json-scan.ts';
import type { JsonMember, JsonObjectSpan } from '../base/json-scan.ts';
import { tryDecodeString } from '../base/json-string.ts';
import { multipartBoundary, scanMultipart } from '../base/multipart-scan.ts';
import { findContradiction } from './contradiction.ts';

export { conversationFingerprint } from './conversation-fingerprint.ts';

/** none: there is no body. unreadable: it is none of the forms, or breaks the rules of its own. */
export type BodyKind = 'json' | 'multipart' | 'urlencoded' | 'none' | 'unreadable';

export interface BodyFacts {
  readonly kind: BodyKind;
  /** From the body, else from the query; never empty. */
  readonly model: string | undefined;
  /** Bytes of the body that hold the model: a JSON string with its quotes, or the value of a form field. */
  readonly modelSpan: { readonly start: number; readonly end: number } | undefined;
  /** undefined = the body does not say. */
  readonly stream: boolean | undefined;
  /** The whole body, with kind `json`; what edits of the body are based on. */
  readonly object: JsonObjectSpan | undefined;
  /** What readers of the body would understand differently, in words for the client. */
  readonly contradiction: string | undefined;
  /** The body may name a model that is not seen here. */
  readonly hidesModel: boolean;
}

export interface PeekSource {
  readonly body: Buffer;
  readonly contentType: string | undefined;
  /** Of the request's URL, with or without `?`. */
  readonly query: URLSearchParams | string;
}

/** No name of a model is longer; what is, is no name. */
const modelBytesMax = 4 * 1024;
/** Forms are small; uploads come as multipart. */
const formBytesMax = 64 * 1024;
const formFields: ReadonlySet<string> = new Set(['model', 'stream']);

/** JSON is recognised whatever the content type says: clients often send none, or a wrong one. */
export function peekBody({ body, contentType, query }: PeekSource): BodyFacts {
  const facts = readBody(body, contentType ?? '');
  if (facts.model !== undefined || query === '') return facts;
  const params = typeof query === 'string' ? new URLSearchParams(query) : query;
  return { ...facts, model: nonEmpty(params.get('model')) };
}

function readBody(body: Buffer, contentType: string): BodyFacts {
  if (body.length === 0) return nothing('none');
  // A form can have a line end inside a string of JSON, which no reader of JSON takes; so it is looked for first.
  const boundary = multipartBoundary(contentType);
  const form = boundary === undefined ? undefined : tryReadMultipart(body, boundary);
  if (form !== undefined) return form;
  const object = scanJsonObject(body);
  const isUrlencoded = /^\s*application\/x-www-form-urlencoded\s*(;|$)/i.test(contentType);
  if (object === undefined) return isUrlencoded ? formFacts(body) : nothing('unreadable');
  const facts = jsonFacts(body, object);
  const isFormElsewhere = isUrlencoded ? body.includes('model=') : /^\s*multipart\//i.test(contentType);
  return isFormElsewhere ? { ...facts, hidesModel: true } : facts;
}

function nothing(kind: BodyKind): BodyFacts {
  return {
    kind,
    model: undefined,
    modelSpan: undefined,
    stream: undefined,
    object: undefined,
    contradiction: undefined,
    hidesModel: kind === 'unreadable',
  };
}

function jsonFacts(body: Buffer, object: JsonObjectSpan): BodyFacts {
  const member = lastMember(object, 'model');
  const model = member === undefined ? undefined : modelName(body, member);
  const stream = lastMember(object, 'stream');
  return {
    kind: 'json',
    model,
    modelSpan:
      model === undefined || member === undefined ? undefined : { start: member.start, end: member.end },
    stream: stream === undefined ? undefined : stream.kind === 'true',
    object,
    contradiction: findContradiction(body, object),
    hidesModel: model === undefined && member !== undefined && member.kind !== 'null',
  };
}

function modelName(body: Buffer, member: JsonMember): string | undefined {
  if (member.kind !== 'string' || member.end - member.start > modelBytesMax) return undefined;
  return nonEmpty(tryDecodeString(body, member.start, member.end));
}

function tryReadMultipart(body: Buffer, boundary: string): BodyFacts | undefined {
  const fields = scanMultipart(body, boundary, { names: formFields, valueBytesMax: modelBytesMax });
  if (fields === undefined) return undefined;
  const field = fields.get('model');
  const model = nonEmpty(field?.value);
  const stream = fields.get('stream')?.value;
  return {
    ...nothing('multipart'),
    model,
    modelSpan:
      model === undefined || field === undefined ? undefined : { start: field.start, end: field.end },
    stream: stream === undefined ? undefined : isTrue(stream),
  };
}

function formFacts(body: Buffer): BodyFacts {
  if (body.length > formBytesMax) return nothing('unreadable');
  const params = new URLSearchParams(body.toString('latin1'));
  const stream = params.get('stream');
  return {
    ...nothing('urlencoded'),
    model: nonEmpty(params.get('model')),
    hidesModel: params.getAll('model').length > 1,
    stream: stream === null ? undefined : isTrue(stream),
  };
}

/** Form fields are text; servers take these spellings for true. */
function isTrue(text: string): boolean {
  return /^(?:true|1|yes|on)$/i.test(text);
}

function nonEmpty(text: string | null | undefined): string | undefined {
  return text === null || text === '' ? undefined : text;
}
