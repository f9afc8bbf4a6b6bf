import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { splitAnywhere } from '../../../test/dialects/arbitrary-answer.ts';
import { isObject } from '../ir/fields.ts';
import type { JsonObject } from '../ir/request.ts';
import { mergeAnswers } from './merge-answers.ts';
import { ProgressMerger } from './merge-progress.ts';

function createMerger(...backends: readonly string[]): {
  merger: ProgressMerger;
  lines: JsonObject[];
  send: (backend: string, ...sent: readonly unknown[]) => void;
} {
  const lines: JsonObject[] = [];
  const merger = new ProgressMerger({
    backends,
    onLine: (line) => {
      expect(line.endsWith('\n')).toBe(true);
      lines.push(JSON.parse(line) as JsonObject);
    },
  });
  const send = (backend: string, ...sent: readonly unknown[]): void => {
    for (const line of sent) merger.push(backend, Buffer.from(`${JSON.stringify(line)}\n`));
  };
  return { merger, lines, send };
}

const layer = (completed: number | undefined, total = 100): JsonObject => ({
  status: 'pulling d',
  digest: 'sha256:d',
  total,
  ...(completed !== undefined && { completed }),
});

describe('merged progress', () => {
  test('shows a status once, sums of a layer, and success when all have it', () => {
    const { merger, lines, send } = createMerger('a', 'b');
    send('a', { status: 'pulling manifest' }, layer(undefined), layer(40));
    send('b', { status: 'pulling manifest' }, layer(10));
    send('a', layer(100), { status: 'success' });
    expect(merger.outcome).toBeUndefined();
    merger.end('a');
    send('b', layer(100), { status: 'writing manifest' }, { status: 'success' });
    merger.end('b');
    expect(lines).toEqual([
      { status: 'pulling manifest', backends: ['a'] },
      { ...layer(0), backends: ['a'] },
      { ...layer(40), backends: ['a'] },
      { ...layer(50, 200), backends: ['a', 'b'] },
      { ...layer(110, 200), backends: ['a', 'b'] },
      { ...layer(200, 200), backends: ['a', 'b'] },
      { status: 'writing manifest', backends: ['b'] },
      { status: 'success', backends: ['a', 'b'] },
    ]);
  });

  test('ends with an error that names who failed and who did not, after the last is over', () => {
    const { merger, lines, send } = createMerger('a', 'b', 'c');
    send('b', { error: 'no such model' });
    expect(lines).toEqual([]);
    send('a', { status: 'success' });
    merger.fail('c', '');
    expect(lines).toEqual([
      {
        error: 'backend b: no such model; backend c: it failed without saying why (succeeded: a)',
        backends: ['a'],
      },
    ]);
    expect(merger.outcome).toEqual({
      succeeded: ['a'],
      failed: new Map([
        ['b', 'no such model'],
        ['c', 'it failed without saying why'],
      ]),
    });
  });

  test.each<[string, (merger: ProgressMerger) => void, string]>([
    ['ends early', (merger) => merger.end('a'), 'its answer ended before its end'],
    ['is no JSON', (merger) => merger.push('a', Buffer.from('x\n')), 'it sent a line that is no JSON object'],
    [
      'has an endless line',
      (merger) => merger.push('a', Buffer.alloc(1024 * 1024 + 1, 0x20)),
      'Line is longer than 1048576 bytes',
    ],
  ])('fails when a stream %s', (_what, act, error) => {
    const { merger, lines } = createMerger('a');
    act(merger);
    expect(lines).toEqual([{ error: `backend a: ${error}`, backends: [] }]);
    // Nothing follows the last line.
    merger.push('a', Buffer.from('{"status":"more"}\n'));
    merger.end('a');
    expect(lines).toHaveLength(1);
  });

  test('never goes back when a download is taken up again', () => {
    const { lines, send } = createMerger('a');
    send('a', layer(50), layer(10), layer(60));
    expect(lines.map(({ completed }) => completed)).toEqual([50, 50, 60]);
  });

  test('remembers no more layers and states than a model can have', () => {
    const { lines, send } = createMerger('a');
    for (let count = 0; count < 5000; count += 1) {
      send('a', { status: `state ${count}` }, { ...layer(1), digest: `sha256:${count}` });
    }
    expect(lines).toHaveLength(2 * 4096);
  });

  test('has one last line and growing sums, however the streams are cut and mixed', () => {
    const line = fc.oneof(
      fc.record({ status: fc.constantFrom('pulling manifest', 'verifying') }),
      fc.record(
        { digest: fc.constantFrom('x', 'y'), total: fc.nat(9), completed: fc.nat(9) },
        { requiredKeys: ['digest'] },
      ),
      fc.constantFrom<JsonObject>(
        { status: 'success' },
        { error: 'boom' },
        { error: { message: 'boom' } },
        {},
      ),
    );
    const chunks = fc
      .array(line, { maxLength: 8 })
      .chain((lines) => splitAnywhere(Buffer.from(lines.map((one) => `${JSON.stringify(one)}\n`).join(''))));
    fc.assert(
      fc.property(chunks, chunks, (first, second) => {
        const { merger, lines } = createMerger('a', 'b');
        for (let at = 0; at < Math.max(first.length, second.length); at += 1) {
          merger.push('a', first[at] ?? Buffer.alloc(0));
          merger.push('b', second[at] ?? Buffer.alloc(0));
        }
        merger.end('a');
        merger.end('b');
        const last = lines.at(-1);
        expect(isObject(last) && ('error' in last || last['status'] === 'success')).toBe(true);
        expect(lines.filter((one) => 'error' in one || one['status'] === 'success')).toHaveLength(1);
        for (const digest of ['x', 'y']) {
          const completed = lines
            .filter((one) => one['digest'] === digest)
            .map((one) => Number(one['completed']));
          expect(completed).toEqual(completed.toSorted((one, other) => one - other));
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe('merged answers', () => {
  const answer = (backend: string, status: number, text = '') => ({ backend, status, text });
  const gone = JSON.stringify({ error: "model 'm' not found" });

  test.each<[string, readonly ReturnType<typeof answer>[], number, string | undefined]>([
    ['all did it', [answer('a', 200), answer('b', 200)], 200, undefined],
    ['some have nothing to do', [answer('a', 404, gone), answer('b', 200)], 200, undefined],
    ['nobody has it', [answer('a', 404, gone), answer('b', 404, gone)], 404, "model 'm' not found"],
    [
      'one failed',
      [answer('a', 200), answer('b', 500, '{"error":"disk full"}')],
      500,
      'backend b: disk full (succeeded: a)',
    ],
    ['one is away', [answer('a', 0, 'ECONNREFUSED'), answer('b', 404, gone)], 502, 'backend a: ECONNREFUSED'],
    ['nobody was asked', [], 502, 'there is no Ollama backend'],
  ])('when %s', (_what, answers, status, error) => {
    expect(mergeAnswers(answers)).toEqual({ status, body: error === undefined ? undefined : { error } });
  });
});
