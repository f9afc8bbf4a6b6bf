import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AnswerFold, isEngineError } from '../../src/dialects/ir/whole-answer.ts';
import { arbitraryAnswer, joinPieces, splitAnywhere } from './arbitrary-answer.ts';
import { arbitraryChatRequest, arbitraryTextRequest } from './arbitrary-request.ts';

describe('arbitrary requests', () => {
  test('answer every tool call right after the message that made it', () => {
    fc.assert(
      fc.property(arbitraryChatRequest({ dialect: 'openai-chat' }), ({ messages }) => {
        const open = new Set<string>();
        for (const { role, parts } of messages) {
          if (role !== 'tool') expect(open.size).toBe(0);
          for (const part of parts) {
            if (part.kind === 'toolCall') open.add(part.id);
            if (part.kind === 'toolResult') expect(open.delete(part.callId)).toBe(true);
          }
        }
        expect(open.size).toBe(0);
      }),
    );
  });

  test('hold nothing that the shape leaves out', () => {
    const shape = {
      dialect: 'ollama-chat',
      userParts: ['text', 'image'],
      imageSources: ['base64'],
      sampling: ['topK'],
      formats: [],
      tools: [],
      members: [],
      reasoning: [],
    } as const;
    fc.assert(
      fc.property(arbitraryChatRequest(shape), (request) => {
        expect(request).not.toHaveProperty('format');
        expect(request).not.toHaveProperty('tools');
        expect(request).not.toHaveProperty('reasoning');
        expect(Object.keys(request.sampling).every((name) => name === 'topK')).toBe(true);
        const kinds = request.messages.flatMap(({ parts }) => parts.map(({ kind }) => kind));
        expect(kinds.every((kind) => ['text', 'image', 'reasoning', 'refusal'].includes(kind))).toBe(true);
      }),
    );
  });

  test('have instructions only where the prompt is not raw', () => {
    fc.assert(
      fc.property(arbitraryTextRequest({ dialect: 'ollama-generate' }), (request) => {
        expect(request.raw && request.system !== undefined).toBe(false);
      }),
    );
  });
});

describe('arbitrary answers', () => {
  test('begin once, end once and number their calls in order', () => {
    fc.assert(
      fc.property(arbitraryAnswer({ choicesMax: 3 }), (events) => {
        expect(events.filter(({ kind }) => kind === 'started')).toHaveLength(1);
        expect(events[0]?.kind).toBe('started');
        expect(events.filter(({ kind }) => kind === 'ended' || kind === 'failed')).toHaveLength(1);
        expect(['ended', 'failed']).toContain(events.at(-1)?.kind);
        const begun = new Map<number, number>();
        for (const event of events) {
          if (event.kind === 'toolCall') {
            expect(event.call).toBe(begun.get(event.choice) ?? 0);
            begun.set(event.choice, event.call + 1);
          }
          if (event.kind === 'toolArguments') expect(event.call).toBeLessThan(begun.get(event.choice) ?? 0);
        }
      }),
    );
  });

  test('fold to the same whole with their pieces joined', () => {
    fc.assert(
      fc.property(arbitraryAnswer({ choicesMax: 2, endings: ['ended'] }), (events) => {
        const folded = [events, joinPieces(events)].map((list) => {
          const fold = new AnswerFold();
          for (const event of list) fold.add(event);
          return fold.finish();
        });
        expect(folded[0] !== undefined && isEngineError(folded[0])).toBe(false);
        expect(folded[1]).toEqual(folded[0]);
      }),
    );
  });
});

test('bytes split anywhere are the same bytes', () => {
  const bytes = Buffer.from('data: {"content":"🦙é"}\n\n');
  fc.assert(fc.property(splitAnywhere(bytes), (pieces) => Buffer.concat(pieces).equals(bytes)));
});
