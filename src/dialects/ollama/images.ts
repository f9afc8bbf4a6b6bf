/** Ollama's `images`: base64 without a word about its type, which is found in the first bytes. */
import { optionalList, pathOf } from '../ir/fields.ts';
import type { Place } from '../ir/fields.ts';
import type { ImagePart } from '../ir/parts.ts';
import { RequestShapeError } from '../ir/request-shape-error.ts';

/** What decodes to the first 12 bytes. */
const headLength = 16;
const base64 = /^[A-Za-z0-9+/]+={0,2}$/;
const dataUrl = /^data:(?<type>[\w.+/-]+);base64,/;

/** Of images whose bytes tell nothing: engines look at the bytes anyway. */
const mediaTypeDefault = 'image/png';

const magics: readonly { readonly type: string; readonly at: number; readonly bytes: string }[] = [
  { type: 'image/png', at: 0, bytes: '\x89PNG' },
  { type: 'image/jpeg', at: 0, bytes: '\xff\xd8\xff' },
  { type: 'image/gif', at: 0, bytes: 'GIF8' },
  { type: 'image/webp', at: 8, bytes: 'WEBP' },
  { type: 'image/bmp', at: 0, bytes: 'BM' },
  { type: 'image/tiff', at: 0, bytes: 'II*\0' },
  { type: 'image/tiff', at: 0, bytes: 'MM\0*' },
  { type: 'image/avif', at: 4, bytes: 'ftypavif' },
  { type: 'image/heic', at: 4, bytes: 'ftypheic' },
];

/**
 * The list `images` of a request or a message. Data URLs are taken too: clients that know OpenAI's API send them, and
 * Ollama itself would refuse them for a reason nobody understands.
 *
 * @throws RequestShapeError
 */
export function readImages(place: Place): readonly ImagePart[] {
  const path = pathOf(place, 'images');
  return (optionalList(place, 'images') ?? []).map((image, index) => readImage(image, `${path}[${index}]`));
}

function readImage(image: unknown, path: string): ImagePart {
  if (typeof image !== 'string') throw new RequestShapeError(path, 'must be a base64 string');
  const url = image.startsWith('data:') ? dataUrl.exec(image.slice(0, 256)) : null;
  const raw = url === null ? image : image.slice(url[0].length);
  // Line breaks are no part of the data: encoders of old break it at 76 characters.
  const data = raw.includes('\n') ? raw.replaceAll(/[\r\n]/g, '') : raw;
  if (!base64.test(data)) throw new RequestShapeError(path, 'must be a base64 string');
  const mediaType = url?.groups?.['type'] ?? mediaTypeOf(data);
  return { kind: 'image', source: { kind: 'base64', mediaType, data } };
}

/** Of base64 data, by its first bytes. */
export function mediaTypeOf(data: string): string {
  const head = Buffer.from(data.slice(0, headLength), 'base64').toString('latin1');
  return magics.find(({ at, bytes }) => head.startsWith(bytes, at))?.type ?? mediaTypeDefault;
}
