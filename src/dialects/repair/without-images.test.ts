import { describe, expect, test } from 'vitest';
import type { ImagePart, Message } from '../ir/parts.ts';
import type { ChatRequest, TextRequest } from '../ir/request.ts';
import { imageNote, withoutImages } from './without-images.ts';

const image: ImagePart = {
  kind: 'image',
  source: { kind: 'url', url: 'https://x.test/y.png' },
  detail: 'low',
};
const note = { kind: 'text', text: imageNote } as const;
const base = {
  model: 'm',
  stream: false,
  usageInStream: false,
  sampling: {},
  own: { store: true },
  extra: {},
} as const;

function chat(messages: readonly Message[]): ChatRequest {
  return { ...base, kind: 'chat', dialect: 'openai-chat', messages };
}

function text(more: Partial<TextRequest>): TextRequest {
  return { ...base, kind: 'text', dialect: 'ollama-generate', prompt: 'What is it?', raw: false, ...more };
}

describe('a conversation', () => {
  test('has a note in place of each image, in results of tools, too', () => {
    const said = { kind: 'text', text: 'What is it?' } as const;
    const request = chat([
      { role: 'user', name: 'anna', parts: [said, image, image] },
      { role: 'assistant', parts: [{ kind: 'toolCall', id: 'a', name: 'shoot', arguments: '{}' }] },
      { role: 'tool', parts: [{ kind: 'toolResult', callId: 'a', parts: [image, said] }] },
      { role: 'user', parts: [said] },
    ]);
    expect(withoutImages(request)).toEqual(
      chat([
        { role: 'user', name: 'anna', parts: [said, note, note] },
        { role: 'assistant', parts: [{ kind: 'toolCall', id: 'a', name: 'shoot', arguments: '{}' }] },
        { role: 'tool', parts: [{ kind: 'toolResult', callId: 'a', parts: [note, said] }] },
        { role: 'user', parts: [said] },
      ]),
    );
  });

  test('without images is left alone', () => {
    expect(withoutImages(chat([{ role: 'user', parts: [note] }]))).toBeUndefined();
  });
});

describe('a text', () => {
  test('begins with the notes', () => {
    const prompt = `${imageNote}\n${imageNote}\nWhat is it?`;
    expect(withoutImages(text({ images: [image, image] }))).toEqual(text({ prompt }));
  });

  test('that is to reach the model as it stands has none', () => {
    expect(withoutImages(text({ images: [image], raw: true }))).toEqual(text({ raw: true }));
  });

  test('without images is left alone', () => {
    expect(withoutImages(text({}))).toBeUndefined();
  });
});
