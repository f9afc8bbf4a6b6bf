/** Conversations for property tests: messages, their parts, tool calls with their results. */
import fc from 'fast-check';
import type {
  AudioPart,
  DocumentPart,
  ImagePart,
  MediaSource,
  Message,
  Part,
  ReasoningPart,
  TextPart,
  ToolCallPart,
  ToolResultPart,
} from '../../src/dialects/ir/parts.ts';
import {
  allows,
  arbitraryArguments,
  arbitraryBase64,
  arbitraryText,
  arbitraryToolName,
  oneOf,
} from './arbitrary-values.ts';
import type { ChatShape } from './chat-shape.ts';

const text = arbitraryText.map((value): TextPart => ({ kind: 'text', text: value }));
const arbitraryUrl = fc.webUrl({ validSchemes: ['https'] });
const arbitraryFileId = fc.stringMatching(/^file-[a-z0-9]{4,8}$/);

export function arbitraryImage(shape: ChatShape): fc.Arbitrary<ImagePart> {
  const source = oneOf<MediaSource>(shape.imageSources, {
    base64: fc.record({
      kind: fc.constant('base64'),
      mediaType: fc.constantFrom('image/png', 'image/jpeg', 'image/webp'),
      data: arbitraryBase64,
    }),
    url: fc.record({ kind: fc.constant('url'), url: arbitraryUrl }),
    file: fc.record({ kind: fc.constant('file'), id: arbitraryFileId }),
  });
  return fc.record(
    {
      kind: fc.constant('image'),
      source,
      ...(shape.imageDetail !== false && { detail: fc.constantFrom('low', 'high', 'auto') }),
    },
    { requiredKeys: ['kind', 'source'] },
  ) as fc.Arbitrary<ImagePart>;
}

function arbitraryDocument(shape: ChatShape): fc.Arbitrary<DocumentPart> {
  const source = oneOf<DocumentPart['source']>(shape.documentSources, {
    base64: fc.record({
      kind: fc.constant('base64'),
      mediaType: fc.constantFrom('application/pdf'),
      data: arbitraryBase64,
    }),
    url: fc.record({ kind: fc.constant('url'), url: arbitraryUrl }),
    file: fc.record({ kind: fc.constant('file'), id: arbitraryFileId }),
    text: fc.record({ kind: fc.constant('text'), text: arbitraryText }),
  });
  return fc.record(
    {
      kind: fc.constant('document'),
      source,
      ...(shape.documentTitle !== false && { title: fc.stringMatching(/^[a-z]{1,6}\.pdf$/) }),
    },
    { requiredKeys: ['kind', 'source'] },
  ) as fc.Arbitrary<DocumentPart>;
}

const audio: fc.Arbitrary<AudioPart> = fc.record({
  kind: fc.constant('audio'),
  data: arbitraryBase64,
  format: fc.constantFrom('wav', 'mp3'),
});

function arbitraryReasoningPart(shape: ChatShape): fc.Arbitrary<ReasoningPart> {
  const may = allows(shape.reasoningProofs);
  const thought = fc.record({ kind: fc.constant('reasoning'), text: arbitraryText });
  return fc.oneof(
    thought,
    ...(may('signature')
      ? [fc.record({ kind: fc.constant('reasoning'), text: arbitraryText, signature: arbitraryBase64 })]
      : []),
    ...(may('encrypted')
      ? [fc.record({ kind: fc.constant('reasoning'), text: fc.constant(''), encrypted: arbitraryBase64 })]
      : []),
  );
}

function arbitraryUserMessage(shape: ChatShape): fc.Arbitrary<Message> {
  const part = oneOf<Part>(shape.userParts, {
    text,
    image: arbitraryImage(shape),
    audio,
    document: arbitraryDocument(shape),
  });
  return named(shape, 'user', fc.array(part, { minLength: 1, maxLength: shape.partsMax ?? 3 }));
}

function named(
  shape: ChatShape,
  role: Message['role'],
  parts: fc.Arbitrary<readonly Part[]>,
): fc.Arbitrary<Message> {
  const names =
    shape.messageNames === false
      ? fc.constant(undefined)
      : fc.option(arbitraryToolName, { nil: undefined, freq: 4 });
  return fc
    .record({ parts, name: names })
    .map(({ parts: value, name }) => ({ role, parts: value, ...(name !== undefined && { name }) }));
}

interface CallDraft {
  readonly call: Omit<ToolCallPart, 'id'>;
  readonly result: Omit<ToolResultPart, 'callId' | 'name'>;
}

function arbitraryCall(shape: ChatShape): fc.Arbitrary<CallDraft> {
  const call = oneOf<Omit<ToolCallPart, 'id'>>(shape.tools, {
    function: fc.record({
      kind: fc.constant('toolCall'),
      name: arbitraryToolName,
      arguments: arbitraryArguments,
    }),
    custom: fc.record({
      kind: fc.constant('toolCall'),
      name: arbitraryToolName,
      arguments: arbitraryText,
      custom: fc.constant(true),
    }),
  });
  const parts = fc.array(
    oneOf<TextPart | ImagePart | DocumentPart>(shape.resultParts, {
      text,
      image: arbitraryImage(shape),
      document: arbitraryDocument(shape),
    }),
    { minLength: 1, maxLength: shape.partsMax ?? 3 },
  );
  const result = fc.record(
    {
      kind: fc.constant('toolResult'),
      parts,
      ...(allows(shape.resultMembers)('isError') && { isError: fc.constant(true) }),
    },
    { requiredKeys: ['kind', 'parts'] },
  ) as fc.Arbitrary<CallDraft['result']>;
  return fc.record({ call, result });
}

interface AssistantDraft {
  readonly thoughts: readonly ReasoningPart[];
  readonly spoken: readonly Part[];
  readonly calls: readonly CallDraft[];
  readonly name: string | undefined;
}

/** What an assistant says and the results of the tools it called; ids are given later. */
function arbitraryAssistant(shape: ChatShape): fc.Arbitrary<AssistantDraft> {
  const may = allows(shape.assistantParts);
  const spoken: fc.Arbitrary<Part>[] = [];
  if (may('text')) spoken.push(text);
  if (may('refusal')) spoken.push(fc.record({ kind: fc.constant('refusal'), text: arbitraryText }));
  const mayCall = may('toolCall') && (shape.tools === undefined || shape.tools.length > 0);
  return fc
    .record({
      thoughts: may('reasoning')
        ? fc.array(arbitraryReasoningPart(shape), { maxLength: 1 })
        : fc.constant([]),
      spoken: fc.array(fc.oneof(...spoken), { maxLength: Math.min(2, shape.partsMax ?? 3) }),
      calls: mayCall ? fc.array(arbitraryCall(shape), { maxLength: 2 }) : fc.constant([]),
      name:
        shape.messageNames === false
          ? fc.constant(undefined)
          : fc.option(arbitraryToolName, { nil: undefined, freq: 4 }),
    })
    .filter((draft) => draft.spoken.length + draft.calls.length > 0);
}

/** A conversation that ends with the user. */
export function arbitraryMessages(shape: ChatShape): fc.Arbitrary<readonly Message[]> {
  const systemRoles = shape.systemRoles ?? ['system', 'developer'];
  const system =
    systemRoles.length === 0
      ? fc.constant([])
      : fc.array(
          fc
            .constantFrom(...systemRoles)
            .chain((role) =>
              named(
                shape,
                role,
                fc.array(text, { minLength: 1, maxLength: Math.min(2, shape.partsMax ?? 3) }),
              ),
            ),
          { maxLength: shape.systemMessagesMax ?? 1 },
        );
  const turn = fc.record({
    user: arbitraryUserMessage(shape),
    answers: fc.array(arbitraryAssistant(shape), { maxLength: 1 }),
  });
  return fc
    .record({ system, turns: fc.array(turn, { maxLength: 3 }), last: arbitraryUserMessage(shape) })
    .map(({ system: before, turns, last }) => {
      const messages: Message[] = [...before];
      let calls = 0;
      for (const { user, answers } of turns) {
        messages.push(user);
        for (const draft of answers) {
          const results = draft.calls.map(({ call, result }) => ({
            call,
            result,
            id: `call_${(calls += 1)}`,
          }));
          messages.push({
            role: 'assistant',
            parts: [...draft.thoughts, ...draft.spoken, ...results.map(({ call, id }) => ({ ...call, id }))],
            ...(draft.name !== undefined && { name: draft.name }),
          });
          for (const { call, result, id } of results)
            messages.push(toolMessage(shape, call.name, { ...result, callId: id }));
        }
      }
      return [...messages, last];
    });
}

function toolMessage(shape: ChatShape, name: string, result: ToolResultPart): Message {
  const hasName = shape.resultMembers?.includes('name') ?? false;
  return { role: 'tool', parts: [{ ...result, ...(hasName && { name }) }] };
}
