import { describe, expect, test } from 'vitest';
import { contextHeaders, newSpanId, newTraceId, tryParseContext } from './trace-context.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const spanId = '00f067aa0ba902b7';
const parent = `00-${traceId}-${spanId}-01`;

describe('the context of a caller', () => {
  test('is read, whatever the case of the header names', () => {
    expect(tryParseContext(['TraceParent', parent, 'TRACESTATE', 'a=1, b@c=2'])).toEqual({
      traceId,
      spanId,
      sampled: true,
      traceState: 'a=1,b@c=2',
    });
    expect(tryParseContext(['traceparent', `00-${traceId}-${spanId}-00`])?.sampled).toBe(false);
    expect(tryParseContext(['traceparent', `00-${traceId}-${spanId}-03`])?.sampled).toBe(true);
  });

  test('of a later version may say more', () => {
    expect(tryParseContext(['traceparent', `cc-${traceId}-${spanId}-01-what-ever`])?.traceId).toBe(traceId);
  });

  test.each([
    ['nothing', []],
    ['other headers', ['x-trace', parent]],
    ['too little', ['traceparent', `00-${traceId}-${spanId}`]],
    ['more than its version has', ['traceparent', `${parent}-more`]],
    ['the version that is none', ['traceparent', `ff-${traceId}-${spanId}-01`]],
    ['capital letters', ['traceparent', parent.toUpperCase()]],
    ['a trace of zeros', ['traceparent', `00-${'0'.repeat(32)}-${spanId}-01`]],
    ['a span of zeros', ['traceparent', `00-${traceId}-${'0'.repeat(16)}-01`]],
    ['blanks around it', ['traceparent', ` ${parent}`]],
    ['two parents', ['traceparent', parent, 'traceparent', parent]],
  ])('is none with %s', (_, headers) => {
    expect(tryParseContext(headers)).toBeUndefined();
  });

  test.each([
    ['a member without a value', 'a=1,b'],
    ['the same key twice', 'a=1,a=2'],
    ['a key with capitals', 'A=1'],
    ['a value with a control character', 'a=\u0001'],
    ['more than 32 members', Array.from({ length: 33 }, (_, index) => `k${index}=1`).join(',')],
    ['more than 512 characters', `a=${'x'.repeat(250)},b=${'x'.repeat(250)},c=${'x'.repeat(20)}`],
  ])('loses its state for %s, but not its trace', (_, state) => {
    expect(tryParseContext(['traceparent', parent, 'tracestate', state])).toMatchObject({
      traceId,
      traceState: '',
    });
  });

  test('that comes in two state headers is joined', () => {
    const headers = ['tracestate', 'a=1', 'traceparent', parent, 'tracestate', 'b=2'];
    expect(tryParseContext(headers)?.traceState).toBe('a=1,b=2');
  });
});

describe('the context for a backend', () => {
  test('can be read again', () => {
    const context = { traceId: newTraceId(), spanId: newSpanId(), sampled: true, traceState: 'a=1' };
    expect(tryParseContext(contextHeaders(context))).toEqual(context);
  });

  test('has no state where there is none', () => {
    const headers = contextHeaders({ traceId, spanId, sampled: false, traceState: '' });
    expect(headers).toEqual(['traceparent', `00-${traceId}-${spanId}-00`]);
  });
});
