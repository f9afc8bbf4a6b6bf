/** Parts of a chat message's content, both directions: texts, images, audio, files. */
import type { WriteTarget } from '../dialect.ts';
import { optionalString, pathOf, requiredObject, requiredString } from '../ir/fields.ts';
import type { Place } from '../ir/fields.ts';
import type { DocumentPart, ImagePart, MediaSource, Part, ReasoningPart } from '../ir/parts.ts';
import { RequestShapeError } from '../ir/request-shape-error.ts';
import type { JsonObject } from '../ir/request.ts';

/** Parts that engines have added and nobody else can say. */
const ownTypes: ReadonlySet<string> = new Set(['video_url', 'audio_url', 'input_video']);

/** A part of the content of a message in any role. @throws RequestShapeError */
export function readPart(place: Place): Part {
  const type = requiredString(place, 'type');
  switch (type) {
    case 'text':
      return { kind: 'text', text: requiredString(place, 'text') };
    case 'image_url':
      return readImage(place);
    case 'input_audio': {
      const audio = requiredObject(place, 'input_audio');
      return { kind: 'audio', data: requiredString(audio, 'data'), format: requiredString(audio, 'format') };
    }
    case 'file':
      return readFile(requiredObject(place, 'file'));
    case 'refusal':
      return { kind: 'refusal', text: requiredString(place, 'refusal') };
    case 'thinking':
      return readThinking(place);
    default:
      if (ownTypes.has(type)) return { kind: 'opaque', dialect: 'openai-chat', type, value: place.fields };
      throw new RequestShapeError(pathOf(place, 'type'), 'is not a known type of content');
  }
}

/** undefined = the engine cannot be told; then it was reported. */
export function writePart(part: Part, target: WriteTarget): JsonObject | undefined {
  switch (part.kind) {
    case 'text':
      return { type: 'text', text: part.text };
    case 'refusal':
      return { type: 'refusal', refusal: part.text };
    case 'audio':
      return { type: 'input_audio', input_audio: { data: part.data, format: part.format } };
    case 'image':
      return writeImage(part, target);
    case 'document':
      return writeDocument(part, target);
    case 'opaque':
      if (part.dialect === 'openai-chat') return part.value as JsonObject;
      target.onDropped(`messages[].content[].${part.type}`);
      return undefined;
    case 'reasoning':
    case 'toolCall':
    case 'toolResult':
      return undefined;
  }
}

function readImage(place: Place): ImagePart {
  // The shorter form is no part of the API, but engines take it, so clients send it.
  if (typeof place.fields['image_url'] === 'string') {
    return { kind: 'image', source: readSource(place.fields['image_url']) };
  }
  const image = requiredObject(place, 'image_url');
  const detail = optionalString(image, 'detail');
  return {
    kind: 'image',
    source: readSource(requiredString(image, 'url')),
    ...(detail !== undefined && { detail }),
  };
}

function readFile(file: Place): DocumentPart {
  const title = optionalString(file, 'filename');
  const id = optionalString(file, 'file_id');
  const source: MediaSource =
    id === undefined ? readSource(requiredString(file, 'file_data')) : { kind: 'file', id };
  return { kind: 'document', source, ...(title !== undefined && { title }) };
}

/** Mistral: thoughts of earlier turns as a part of the content, with a list of texts in it. */
function readThinking(place: Place): ReasoningPart {
  const { thinking } = place.fields;
  if (typeof thinking === 'string') return { kind: 'reasoning', text: thinking };
  if (!Array.isArray(thinking)) throw new RequestShapeError(pathOf(place, 'thinking'), 'must be a list');
  const texts = thinking.map((value: unknown, index) => {
    const path = `${pathOf(place, 'thinking')}[${index}]`;
    if (typeof value !== 'object' || value === null) throw new RequestShapeError(path, 'must be an object');
    return requiredString({ fields: value as JsonObject, path }, 'text');
  });
  return { kind: 'reasoning', text: texts.join('') };
}

const base64Mark = ';base64';

/** A data URL that holds base64 is data; everything else is a place to get it from. */
function readSource(url: string): MediaSource {
  if (!url.startsWith('data:')) return { kind: 'url', url };
  const comma = url.indexOf(',');
  const head = url.slice('data:'.length, comma);
  if (comma === -1 || !head.endsWith(base64Mark)) return { kind: 'url', url };
  const mediaType = head.slice(0, -base64Mark.length).split(';', 1)[0] ?? '';
  return { kind: 'base64', mediaType, data: url.slice(comma + 1) };
}

function dataUrl({ mediaType, data }: Extract<MediaSource, { kind: 'base64' }>): string {
  return `data:${mediaType};base64,${data}`;
}

function writeImage(
  { source, detail }: ImagePart,
  { habits, onDropped }: WriteTarget,
): JsonObject | undefined {
  const isFetched = source.kind === 'url' && !source.url.startsWith('data:');
  if (source.kind === 'file' || (isFetched && !habits.takesImageUrls)) {
    onDropped(source.kind === 'file' ? 'messages[].content[].file_id' : 'messages[].content[].image_url');
    return undefined;
  }
  const url = source.kind === 'url' ? source.url : dataUrl(source);
  return { type: 'image_url', image_url: { url, ...(detail !== undefined && { detail }) } };
}

function writeDocument({ source, title }: DocumentPart, { onDropped }: WriteTarget): JsonObject | undefined {
  const filename = title !== undefined && { filename: title };
  switch (source.kind) {
    case 'base64':
      return { type: 'file', file: { file_data: dataUrl(source), ...filename } };
    case 'file':
      return { type: 'file', file: { file_id: source.id, ...filename } };
    case 'text':
      return { type: 'text', text: title === undefined ? source.text : `${title}\n\n${source.text}` };
    case 'url':
      onDropped('messages[].content[].document');
      return undefined;
  }
}
