/**
 * Tool calls as deltas of a streamed chat completion: entries of `tool_calls`, or the one `function_call` for clients that
 * sent `functions`. Knows calls only; chunks around them are somebody else's.
 */
import type { AnswerEvent } from '../ir/answer.ts';
import type { ModelRequest } from '../ir/request.ts';
import { CustomCalls } from './custom-calls.ts';

/** Deltas are JSON text of an object; '' = the client gets nothing. */
export interface CallDeltas {
  begin(event: Extract<AnswerEvent, { kind: 'toolCall' }>): string;
  piece(event: Extract<AnswerEvent, { kind: 'toolArguments' }>): string;
  /** What was held back of the calls of the choice, which is over. */
  end(choice: number): readonly string[];
}

/** For one answer to the request. */
export function createCallDeltas(request: ModelRequest): CallDeltas {
  return wantsFunctionCall(request) ? createFunctionCallDeltas() : createToolCallDeltas(request);
}

/** Whether the client knows calls by the older name only. */
export function wantsFunctionCall(request: ModelRequest): boolean {
  return request.kind === 'chat' && request.wantsFunctionCall === true;
}

function createToolCallDeltas(request: ModelRequest): CallDeltas {
  const customCalls = new CustomCalls(request);
  return {
    begin(event) {
      const { call, id, name, custom } = customCalls.begin(event);
      const tool =
        custom === true
          ? { type: 'custom', custom: { name, input: '' } }
          : { type: 'function', function: { name, arguments: '' } };
      return JSON.stringify({ tool_calls: [{ index: call, id, ...tool }] });
    },
    piece(event) {
      const text = customCalls.textOf(event);
      if (text === '') return '';
      const member = customCalls.isCustom(event)
        ? inputMember(text)
        : `"function":{"arguments":${JSON.stringify(text)}}`;
      return pieceDelta(event.call, member);
    },
    end: (choice) => customCalls.end(choice).map(({ call, text }) => pieceDelta(call, inputMember(text))),
  };
}

/** There is room for one call in a choice. */
function createFunctionCallDeltas(): CallDeltas {
  /** The call of each choice. */
  const calls = new Map<number, number>();
  return {
    begin({ choice, call, name }) {
      if (calls.has(choice)) return '';
      calls.set(choice, call);
      return JSON.stringify({ function_call: { name, arguments: '' } });
    },
    piece({ choice, call, text }) {
      if (text === '' || calls.get(choice) !== call) return '';
      return `{"function_call":{"arguments":${JSON.stringify(text)}}}`;
    },
    end: () => [],
  };
}

/** `member`: JSON text of a member. */
function pieceDelta(call: number, member: string): string {
  return `{"tool_calls":[{"index":${call},${member}}]}`;
}

function inputMember(text: string): string {
  return `"custom":{"input":${JSON.stringify(text)}}`;
}
