/** Parts of messages and of tool results, both directions. Knows no items and no requests. */
import { optionalObjects, optionalString, pathOf, requiredObject, requiredString } from '../ir/fields.ts';
import type { Place } from '../ir/fields.ts';
import type { DocumentPart, ImagePart, MediaSource, Part, RefusalPart, TextPart } from '../ir/parts.ts';
import { RequestShapeError } from '../ir/request-shape-error.ts';
import type { JsonObject } from '../ir/request.ts';
import type { Unread } from '../ir/unread.ts';
import { noteUnread } from './unread.ts';

const dataUrl = /^data:([^;,]*)(?:;[^;,]*)*;base64,/;
const anyType = 'application/octet-stream';

/** A text or a list of parts. @throws RequestShapeError */
export function readContent(place: Place, key: string, unread: Unread): readonly Part[] {
  const value = place.fields[key] ?? undefined;
  if (value === undefined) throw new RequestShapeError(pathOf(place, key), 'is required');
  if (typeof value === 'string') return [{ kind: 'text', text: value }];
  if (!Array.isArray(value)) throw new RequestShapeError(pathOf(place, key), 'must be a string or a list');
  return (optionalObjects(place, key) ?? []).map((part) => readPart(part, unread));
}

/** What a tool gave back: no audio, no refusals. @throws RequestShapeError */
export function readOutput(
  place: Place,
  key: string,
  unread: Unread,
): readonly (TextPart | ImagePart | DocumentPart)[] {
  return readContent(place, key, unread).map((part, index) => {
    if (part.kind === 'text' || part.kind === 'image' || part.kind === 'document') return part;
    throw new RequestShapeError(
      `${pathOf(place, key)}[${index}].type`,
      'must be input_text, input_image or input_file',
    );
  });
}

function readPart(place: Place, unread: Unread): Part {
  const type = requiredString(place, 'type');
  noteUnread(place, type === 'input_image' ? imageMembers : members, unread);
  switch (type) {
    case 'input_text':
    case 'output_text':
      return { kind: 'text', text: requiredString(place, 'text') };
    case 'refusal':
      return { kind: 'refusal', text: requiredString(place, 'refusal') };
    case 'input_image':
      return readImage(place);
    case 'input_file':
      return readFile(place);
    case 'input_audio': {
      const audio = requiredObject(place, 'input_audio');
      return { kind: 'audio', data: requiredString(audio, 'data'), format: requiredString(audio, 'format') };
    }
    default:
      throw new RequestShapeError(
        pathOf(place, 'type'),
        'must be input_text, input_image, input_file, input_audio, output_text or refusal',
      );
  }
}

/** Of parts of any type. Log probabilities are of answers; in a request they tell nothing. */
const members: ReadonlySet<string> = new Set([
  'type',
  'text',
  'refusal',
  'logprobs',
  'image_url',
  'file_id',
  'filename',
  'file_url',
  'file_data',
  'input_audio',
]);
const imageMembers: ReadonlySet<string> = new Set([...members, 'detail']);

function readImage(place: Place): ImagePart {
  const detail = optionalString(place, 'detail');
  const fileId = optionalString(place, 'file_id');
  const source: MediaSource =
    fileId === undefined ? readUrl(requiredString(place, 'image_url')) : { kind: 'file', id: fileId };
  return { kind: 'image', source, ...(detail !== undefined && { detail }) };
}

function readFile(place: Place): DocumentPart {
  const title = optionalString(place, 'filename');
  const fileId = optionalString(place, 'file_id');
  const url = optionalString(place, 'file_url');
  const source: MediaSource =
    fileId !== undefined
      ? { kind: 'file', id: fileId }
      : url !== undefined
        ? readUrl(url)
        : readData(requiredString(place, 'file_data'));
  return { kind: 'document', source, ...(title !== undefined && { title }) };
}

function readUrl(url: string): MediaSource {
  return tryReadDataUrl(url) ?? { kind: 'url', url };
}

/** A data URL, or Base64 that says nothing of its type. */
function readData(data: string): MediaSource {
  return tryReadDataUrl(data) ?? { kind: 'base64', mediaType: anyType, data };
}

function tryReadDataUrl(url: string): MediaSource | undefined {
  if (!url.startsWith('data:')) return undefined;
  // The head is short; the data behind it may be megabytes.
  const head = dataUrl.exec(url.slice(0, 256));
  if (head === null) return undefined;
  return { kind: 'base64', mediaType: head[1] || anyType, data: url.slice(head[0].length) };
}

/** The part as an engine takes it from the user or a tool; undefined = it cannot be said there. */
export function writeInputPart(part: Part): JsonObject | undefined {
  switch (part.kind) {
    case 'text':
      return { type: 'input_text', text: part.text };
    case 'image':
      return { type: 'input_image', detail: part.detail ?? 'auto', ...writeImageSource(part.source) };
    case 'document':
      return {
        type: 'input_file',
        ...(part.title !== undefined && { filename: part.title }),
        ...writeFile(part),
      };
    case 'audio':
      return { type: 'input_audio', input_audio: { data: part.data, format: part.format } };
    case 'reasoning':
    case 'refusal':
    case 'toolCall':
    case 'toolResult':
    case 'opaque':
      return undefined;
  }
}

/** What the assistant said. */
export function writeSpokenPart(part: TextPart | RefusalPart): JsonObject {
  return part.kind === 'text'
    ? { type: 'output_text', text: part.text, annotations: [] }
    : { type: 'refusal', refusal: part.text };
}

function writeImageSource(source: MediaSource): JsonObject {
  return source.kind === 'file' ? { file_id: source.id } : { image_url: writeUrl(source) };
}

function writeFile({ source }: DocumentPart): JsonObject {
  switch (source.kind) {
    case 'file':
      return { file_id: source.id };
    case 'url':
      return { file_url: source.url };
    case 'base64':
      return { file_data: writeUrl(source) };
    case 'text':
      return { file_data: `data:text/plain;base64,${Buffer.from(source.text, 'utf8').toString('base64')}` };
  }
}

function writeUrl(source: Exclude<MediaSource, { kind: 'file' }>): string {
  return source.kind === 'url' ? source.url : `data:${source.mediaType};base64,${source.data}`;
}
