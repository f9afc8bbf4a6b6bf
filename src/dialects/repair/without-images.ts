/** Takes the images out of a request, for models that cannot see. */
import type { Message, Part, TextPart } from '../ir/parts.ts';
import type { ModelRequest } from '../ir/request.ts';

/** Stands in the place of each image, so that the model knows that there was one. */
export const imageNote = '[image left out]';

export function hasImages(request: ModelRequest): boolean {
  if (request.kind === 'text') return request.images !== undefined && request.images.length > 0;
  return request.messages.some(({ parts }) => parts.some(hasImage));
}

/** undefined = there are none. */
export function withoutImages(request: ModelRequest): ModelRequest | undefined {
  if (!hasImages(request)) return undefined;
  if (request.kind === 'chat') return { ...request, messages: request.messages.map(withNotes) };
  const { images = [], ...rest } = request;
  const { prompt, raw } = request;
  // A prompt for the model as it stands holds no words but the client's.
  if (raw || typeof prompt !== 'string') return rest;
  return { ...rest, prompt: [...images.map(() => imageNote), prompt].join('\n') };
}

function hasImage(part: Part): boolean {
  return part.kind === 'image' || (part.kind === 'toolResult' && part.parts.some(hasImage));
}

function withNotes(message: Message): Message {
  if (!message.parts.some(hasImage)) return message;
  const parts = message.parts.map((part) =>
    part.kind === 'toolResult' ? { ...part, parts: part.parts.map(orNote) } : orNote(part),
  );
  return { ...message, parts };
}

function orNote<Kind extends Part>(part: Kind): Kind | TextPart {
  return part.kind === 'image' ? { kind: 'text', text: imageNote } : part;
}
