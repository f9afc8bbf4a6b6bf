import { describe, expect, test } from 'vitest';
import { requestSamples as chatSamples } from '../../../test/dialects/samples/openai-chat.ts';
import { dialects } from '../../dialects/index.ts';
import type { ChatRequest, JsonObject } from '../../dialects/ir/request.ts';
import { engineKinds } from '../../engines/kinds/index.ts';
import { putBack } from './put-back.ts';

const dialect = dialects['openai-chat'];
const { habits } = engineKinds.llamacpp;

function read(text: string): ChatRequest {
  const request = dialect.readRequest(JSON.parse(text) as JsonObject);
  if (request.kind !== 'chat') throw new Error('not a chat');
  return request;
}

function put(text: string, change: (request: ChatRequest) => ChatRequest): string | undefined {
  const from = read(text);
  return putBack(Buffer.from(text), { from, to: change(from) }, { dialect, habits })?.toString();
}

describe('a changed request', () => {
  test('differs from the body in the members that changed, and in no other byte', () => {
    const text =
      '{ "seed":9007199254740993, "model":"m", "tools":[{"type":"function","function":{"name":"look"}}], "tool_choice":"auto",\n"x":[1,  2], "messages":[{"role":"user","content":"Hi"},{"role":"user","content":"Ho"}], "reasoning_effort":"high" }';
    expect(put(text, ({ tools: _tools, toolChoice: _choice, ...rest }) => rest)).toBe(
      '{ "seed":9007199254740993, "model":"m", "x":[1,  2], "messages":[{"role":"user","content":"Hi"},{"role":"user","content":"Ho"}], "reasoning_effort":"high" }',
    );
    expect(put(text, (request) => ({ ...request, messages: request.messages.slice(1) }))).toBe(
      text.replace('{"role":"user","content":"Hi"},', ''),
    );
  });

  test('that is the same gives the same bytes, whatever the request holds', () => {
    for (const { field, body } of chatSamples) {
      const text = JSON.stringify(body);
      expect(
        put(text, (request) => request),
        field,
      ).toBe(text);
    }
  });
});
