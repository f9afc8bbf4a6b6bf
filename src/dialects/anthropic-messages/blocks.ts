/** Content blocks that may stand in any role, both directions: text, pictures, documents, search results. */
import { isObject, optionalString, pathOf, requiredObject, requiredString } from '../ir/fields.ts';
import type { Place } from '../ir/fields.ts';
import type { DocumentPart, ImagePart, MediaSource, TextPart } from '../ir/parts.ts';
import { RequestShapeError } from '../ir/request-shape-error.ts';
import type { JsonObject } from '../ir/request.ts';
import type { Unread } from '../ir/unread.ts';
import type { WriteTarget } from '../dialect.ts';
import { noteUnread } from './unread.ts';

export type ContentPart = TextPart | ImagePart | DocumentPart;

const textMembers = new Set(['type', 'text']);
const imageMembers = new Set(['type', 'source']);
const documentMembers = new Set(['type', 'source', 'title', 'context']);
const searchMembers = new Set(['type', 'source', 'title', 'content']);

/** undefined for a block of another type. @throws RequestShapeError */
export function readContentBlock(block: Place, unread: Unread): readonly ContentPart[] | undefined {
  switch (block.fields['type']) {
    case 'text':
      noteUnread(block, textMembers, unread);
      return [{ kind: 'text', text: requiredString(block, 'text') }];
    case 'image':
      noteUnread(block, imageMembers, unread);
      return [readImage(block)];
    case 'document':
      noteUnread(block, documentMembers, unread);
      return readDocument(block, unread);
    case 'search_result':
      noteUnread(block, searchMembers, unread);
      return [readSearchResult(block, unread)];
    default:
      return undefined;
  }
}

/** A text or a list of blocks. @throws RequestShapeError */
export function readContent(place: Place, key: string, read: (block: Place) => void): void {
  const content = place.fields[key] ?? undefined;
  const path = pathOf(place, key);
  if (typeof content === 'string') read({ fields: { type: 'text', text: content }, path });
  else if (Array.isArray(content)) {
    for (const [index, block] of content.entries()) read(blockAt(block, `${path}[${index}]`));
  } else {
    throw new RequestShapeError(
      path,
      content === undefined ? 'is required' : 'must be a string or a list of blocks',
    );
  }
}

/** undefined = the engine cannot be told; it was reported. */
export function writeContentPart(
  part: ContentPart,
  { habits, onDropped }: WriteTarget,
): JsonObject | undefined {
  switch (part.kind) {
    case 'text':
      // The service refuses empty texts, and they say nothing.
      return part.text === '' ? undefined : { type: 'text', text: part.text };
    case 'image': {
      if (part.detail !== undefined) onDropped('messages[].content[].image.detail');
      const source = writeSource(part.source);
      if (source['type'] !== 'url' || habits.takesImageUrls) return { type: 'image', source };
      onDropped('messages[].content[].image.url');
      return undefined;
    }
    case 'document': {
      const source =
        part.source.kind === 'text'
          ? { type: 'text', media_type: 'text/plain', data: part.source.text }
          : writeSource(part.source);
      return { type: 'document', source, ...(part.title !== undefined && { title: part.title }) };
    }
  }
}

function blockAt(value: unknown, path: string): Place {
  if (!isObject(value)) throw new RequestShapeError(path, 'must be an object');
  const block = { fields: value, path };
  requiredString(block, 'type');
  return block;
}

function readImage(block: Place): ImagePart {
  const source = requiredObject(block, 'source');
  const media = tryReadMedia(source);
  if (media === undefined) throw unknownSource(source, '"base64", "url" or "file"');
  return { kind: 'image', source: media };
}

function tryReadMedia(source: Place): MediaSource | undefined {
  switch (requiredString(source, 'type')) {
    case 'base64':
      return {
        kind: 'base64',
        mediaType: requiredString(source, 'media_type'),
        data: requiredString(source, 'data'),
      };
    case 'url':
      return { kind: 'url', url: requiredString(source, 'url') };
    case 'file':
      return { kind: 'file', id: requiredString(source, 'file_id') };
    default:
      return undefined;
  }
}

function unknownSource(source: Place, types: string): RequestShapeError {
  return new RequestShapeError(pathOf(source, 'type'), `must be ${types}`);
}

/** The context comes as text before the document: it is what the model is to know of it. */
function readDocument(block: Place, unread: Unread): readonly ContentPart[] {
  const source = requiredObject(block, 'source');
  const title = optionalString(block, 'title');
  const context = optionalString(block, 'context') ?? '';
  const before: readonly ContentPart[] = context === '' ? [] : [{ kind: 'text', text: context }];
  const named = title !== undefined && { title };
  const type = requiredString(source, 'type');
  if (type === 'text') {
    const text = requiredString(source, 'data');
    return [...before, { kind: 'document', source: { kind: 'text', text }, ...named }];
  }
  if (type === 'content') {
    const { text, images } = readInnerContent(source, unread);
    return [...before, { kind: 'document', source: { kind: 'text', text }, ...named }, ...images];
  }
  const media = tryReadMedia(source);
  if (media === undefined) throw unknownSource(source, '"base64", "text", "url", "file" or "content"');
  return [...before, { kind: 'document', source: media, ...named }];
}

/** Texts and pictures that a document is made of. */
function readInnerContent(source: Place, unread: Unread): { text: string; images: readonly ImagePart[] } {
  const texts: string[] = [];
  const images: ImagePart[] = [];
  readContent(source, 'content', (inner) => {
    const type = inner.fields['type'];
    if (type === 'text') {
      noteUnread(inner, textMembers, unread);
      texts.push(requiredString(inner, 'text'));
    } else if (type === 'image') images.push(readImage(inner));
    else throw new RequestShapeError(pathOf(inner, 'type'), 'must be "text" or "image"');
  });
  return { text: texts.join('\n'), images };
}

/** A document to every other API; where it was found stands in its title. */
function readSearchResult(block: Place, unread: Unread): DocumentPart {
  const { text } = readInnerContent(block, unread);
  const title = `${requiredString(block, 'title')} (${requiredString(block, 'source')})`;
  return { kind: 'document', source: { kind: 'text', text }, title };
}

const dataUrl = /^data:([^;,]{1,100});base64,/;

function writeSource(source: MediaSource): JsonObject {
  switch (source.kind) {
    case 'base64':
      return { type: 'base64', media_type: source.mediaType, data: source.data };
    case 'file':
      return { type: 'file', file_id: source.id };
    case 'url': {
      const [start, mediaType] = dataUrl.exec(source.url) ?? [];
      if (start === undefined) return { type: 'url', url: source.url };
      return { type: 'base64', media_type: mediaType, data: source.url.slice(start.length) };
    }
  }
}
