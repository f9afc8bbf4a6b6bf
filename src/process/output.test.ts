import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createOutputLog } from './output.ts';

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

async function collect(feed: AsyncIterable<Uint8Array>): Promise<string> {
  let all = '';
  for await (const bytes of feed) all += text(bytes);
  return all;
}

describe('output log', () => {
  test('keeps exactly the last bytes, however they were cut into writes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 40 })),
        fc.integer({ min: 1, max: 64 }),
        (chunks, size) => {
          const log = createOutputLog(size);
          for (const chunk of chunks) log.write(chunk);
          const all = Buffer.concat(chunks);
          expect(log.history()).toEqual(all.subarray(Math.max(0, all.length - size)));
        },
      ),
    );
  });

  test('gives a copy of its history (LOG-1)', () => {
    const log = createOutputLog(10);
    log.write(Buffer.from('abc'));
    log.history().fill(0);
    expect(text(log.history())).toBe('abc');
  });

  test('gives the last lines without empty ones', () => {
    const log = createOutputLog();
    log.write(Buffer.from('one\n\ntwo\r\n  thr'));
    log.write(Buffer.from('ee \n\nfour'));
    expect(log.lastLines(3)).toEqual(['two', '  three', 'four']);
    expect(log.lastLines(99)).toHaveLength(4);
    expect(createOutputLog().lastLines(3)).toEqual([]);
  });

  test('gives every reader every byte, from its history on (LOG-1)', async () => {
    const log = createOutputLog();
    const stop = new AbortController();
    log.write(Buffer.from('before '));
    const early = collect(log.subscribe({ signal: stop.signal }));
    const whole = collect(log.subscribe({ signal: stop.signal, withHistory: true }));
    log.write(Buffer.from('one '));
    await Promise.resolve();
    log.write(Buffer.from('two'));
    stop.abort();
    log.write(Buffer.from(' after'));
    expect(await early).toBe('one two');
    expect(await whole).toBe('before one two');
  });

  test('never waits for a stalled reader, which later finds a drop mark (LOG-1)', async () => {
    const log = createOutputLog();
    const stalled = log.subscribe({ pendingBytesMax: 10 });
    for (let index = 0; index < 1000; index += 1) log.write(Buffer.from('12345'));
    const read = async (): Promise<string> => text((await stalled.next()).value as Uint8Array);
    expect(await read()).toBe('1234512345');
    expect(await read()).toBe('\n— 4990 bytes dropped —\n');
    log.write(Buffer.from('next'));
    expect(await read()).toBe('next');
  });

  test('ends a feed when its reader leaves', async () => {
    const log = createOutputLog();
    const feed = log.subscribe();
    log.write(Buffer.from('a'));
    for await (const bytes of feed) {
      expect(text(bytes)).toBe('a');
      break;
    }
    log.write(Buffer.from('b'));
    expect(await feed.next()).toEqual({ done: true, value: undefined });
  });

  test('gives history and nothing more to a reader whose signal is already aborted', async () => {
    const log = createOutputLog();
    log.write(Buffer.from('a'));
    const feed = log.subscribe({ signal: AbortSignal.abort(), withHistory: true });
    log.write(Buffer.from('b'));
    expect(await collect(feed)).toBe('a');
  });
});
