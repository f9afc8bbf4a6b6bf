import { describe, expect, test, vi } from 'vitest';
import { BodyMemory } from './body-memory.ts';
import { PlainRequest } from './request.ts';

function requestOf(bodyBytes: number, memory = new BodyMemory()): PlainRequest {
  const head = { method: 'POST', url: '/', rawHeaders: [], bodyBytes, closes: false } as const;
  return new PlainRequest(head, undefined, memory);
}

describe('a plain request', () => {
  test('gives a body that is there at once without copying it', () => {
    const request = requestOf(4);
    const done = vi.fn<(error: unknown, body: Buffer) => void>();
    const bytes = Buffer.from('headbodynext');
    request.readBody(4, done);
    expect([request.take(bytes, 4), request.complete]).toEqual([8, true]);
    const [, body] = done.mock.calls[0] ?? [];
    expect([body?.toString(), body?.buffer === bytes.buffer]).toEqual(['body', true]);
  });

  test('uses the memory of a body that nobody needs for the next one', () => {
    const memory = new BodyMemory();
    const bodies = [0, 1].map((index) => {
      const request = requestOf(200_000, memory);
      const done = vi.fn<(error: unknown, body: Buffer) => void>();
      request.readBody(1e6, done);
      request.take(Buffer.alloc(150_000, index), 0);
      request.take(Buffer.alloc(50_000, index), 0);
      const [, body] = done.mock.calls[0] ?? [];
      expect([body?.length, body?.every((byte) => byte === index)]).toEqual([200_000, true]);
      request.releaseBody();
      return body;
    });
    expect(bodies[0]?.buffer).toBe(bodies[1]?.buffer);
  });

  test('passes over the rest of a body that was released before it was complete', () => {
    const request = requestOf(10);
    const done = vi.fn<(error: unknown, body: Buffer) => void>();
    request.readBody(10, done);
    request.take(Buffer.from('12345'), 0);
    request.releaseBody();
    expect([request.take(Buffer.from('67890GET'), 0), request.complete]).toEqual([5, true]);
    expect(done).not.toHaveBeenCalled();
  });
});
