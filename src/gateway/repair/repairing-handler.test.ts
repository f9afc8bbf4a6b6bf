import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { seenErrors } from '../../../test/dialects/engine-errors.ts';
import '../../../test/property-seed.ts';
import { dialects } from '../../dialects/index.ts';
import type { EngineError } from '../../dialects/ir/answer.ts';
import { RepairingHandler } from './repairing-handler.ts';

const json = ['content-type', 'application/json'];
const events = ['Content-Type', 'text/event-stream'];

/** Everything that comes through, in words, and the errors that were to be repaired. */
function watch(helps: boolean) {
  const told: string[] = [];
  const errors: EngineError[] = [];
  const handler = new RepairingHandler({
    dialect: dialects['openai-chat'],
    handler: {
      onHead: (status) => told.push(`head ${status}`),
      onData: (chunk, isLast) => told.push(`${chunk.toString()}${isLast ? ' (last)' : ''}`),
      onEnd: () => told.push('end'),
      onError: ({ reason }) => told.push(`error ${reason}`),
    },
    tryRepair(error) {
      errors.push(error);
      return helps;
    },
    onRepaired: () => told.push('again'),
  });
  return { handler, told, errors };
}

const overflow = '{"error":{"message":"request (9 tokens) exceeds the available context size (5 tokens)"}}';

describe('an error', () => {
  test('leads to another attempt, and nothing of it comes through', () => {
    const { handler, told, errors } = watch(true);
    handler.onHead(400, json);
    handler.onData(Buffer.from(overflow), true);
    handler.onEnd();
    expect(told).toEqual(['again']);
    expect(errors).toMatchObject([{ overflow: { promptTokens: 9, contextTokens: 5 } }]);
  });

  test('that nothing helps against comes through as it was', () => {
    const { handler, told } = watch(false);
    handler.onHead(400, json);
    handler.onData(Buffer.from(overflow.slice(0, 9)), false);
    handler.onData(Buffer.from(overflow.slice(9)), true);
    expect(told).toEqual([]);
    handler.onEnd();
    expect(told).toEqual(['head 400', overflow.slice(0, 9), `${overflow.slice(9)} (last)`, 'end']);
  });

  test('that breaks off is told of as a failure, after what came of it', () => {
    const { handler, told } = watch(true);
    handler.onHead(500, json);
    handler.onData(Buffer.from('{'), false);
    handler.onError({ kind: 'reset', accepted: 'yes', reason: 'ECONNRESET' });
    expect(told).toEqual(['head 500', '{', 'error ECONNRESET']);
  });

  test('of any length is passed on before it fills the memory', () => {
    const { handler, told, errors } = watch(true);
    handler.onHead(500, json);
    for (let index = 0; index < 300; index += 1) handler.onData(Buffer.alloc(1024), false);
    expect(told.length).toBe(301);
    handler.onEnd();
    expect(errors).toEqual([]);
  });
});

describe('a stream', () => {
  test('whose first event is an error is not waited for to its end', () => {
    const { handler, told } = watch(true);
    handler.onHead(200, events);
    handler.onData(Buffer.from(`data: ${overflow}\n\n`), false);
    expect(told).toEqual(['again']);
    handler.onData(Buffer.from('data: more\n\n'), false);
    handler.onEnd();
    handler.onError({ kind: 'reset', accepted: 'yes', reason: 'ECONNRESET' });
    expect(told).toEqual(['again']);
  });

  test('that has begun passes at once, with errors that come later', () => {
    const { handler, told, errors } = watch(true);
    const first = 'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n';
    handler.onHead(200, events);
    handler.onData(Buffer.from(first), false);
    handler.onData(Buffer.from(`data: ${overflow}\n\n`), false);
    expect(told).toEqual(['head 200', first, `data: ${overflow}\n\n`]);
    expect(errors).toEqual([]);
  });

  test('is judged the same however it is cut', () => {
    const streams = [
      `data: ${overflow}\n\n`,
      `data: ${overflow}\r\n\r\ndata: [DONE]\r\n\r\n`,
      `: comment\n\ndata: ${overflow}\n\n`,
      'data: {"choices":[{"index":0,"delta":{"content":"é"}}]}\n\ndata: [DONE]\n\n',
      'data: {"cut',
    ];
    const run = (pieces: readonly Buffer[]): readonly [boolean, string] => {
      const { handler, told } = watch(true);
      handler.onHead(200, events);
      for (const piece of pieces) handler.onData(piece, false);
      handler.onEnd();
      return [told.includes('again'), told.includes('again') ? '' : told.join('')];
    };
    fc.assert(
      fc.property(fc.constantFrom(...streams), fc.array(fc.nat(), { maxLength: 6 }), (text, cuts) => {
        const bytes = Buffer.from(text, 'latin1');
        const at = cuts.map((cut) => cut % (bytes.length + 1)).toSorted((one, other) => one - other);
        const pieces = [0, ...at].map((start, index) => bytes.subarray(start, at[index]));
        const [again] = run([bytes]);
        expect(run(pieces)[0]).toBe(again);
      }),
    );
  });
});

describe('anything else', () => {
  test('passes without delay', () => {
    const { handler, told } = watch(true);
    handler.onHead(200, json);
    handler.onData(Buffer.from('{'), false);
    handler.onEnd();
    expect(told).toEqual(['head 200', '{', 'end']);
  });
});

test('every error that was seen of an engine is understood', () => {
  for (const { status, body, complaint, dialects: names } of seenErrors) {
    if (complaint === undefined || !names.includes('openai-chat')) continue;
    const { handler, told, errors } = watch(true);
    handler.onHead(status, json);
    handler.onData(Buffer.from(body), true);
    handler.onEnd();
    expect([told, errors[0]?.status]).toEqual([['again'], status]);
  }
});
