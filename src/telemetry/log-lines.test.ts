import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { LogLines, type LogFile } from './log-lines.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Keeps what is written; `faults` are the errors of the next writes, `bytesMax` what one write takes. */
function fakeFile({ bytesMax = Infinity }: { bytesMax?: number } = {}) {
  const faults: string[] = [];
  const calls: (() => void)[] = [];
  let text = '';
  const take = (bytes: Uint8Array, offset: number): number => {
    const code = faults.shift();
    if (code !== undefined) throw Object.assign(new Error(code), { code });
    const piece = bytes.subarray(offset, offset + bytesMax);
    text += Buffer.from(piece).toString('latin1');
    return piece.length;
  };
  const file: LogFile = {
    write(bytes, offset, done) {
      calls.push(() => {
        try {
          done(null, take(bytes, offset));
        } catch (error) {
          done(error as NodeJS.ErrnoException, 0);
        }
      });
    },
    writeSync: take,
  };
  /** Lets every write that has begun, and those that follow from it, end. */
  const settle = () => {
    for (let turn = 0; turn < 100; turn += 1) calls.shift()?.();
  };
  return { file, faults, settle, calls, text: () => text };
}

describe('LogLines', () => {
  test('writes lines together, and what a write left over', () => {
    const { file, settle, calls, text } = fakeFile({ bytesMax: 3 });
    const lines = new LogLines(file);
    lines.write('one\n');
    lines.write('two\n');
    expect(calls).toHaveLength(0);
    vi.advanceTimersByTime(100);
    settle();
    expect(text()).toBe('one\ntwo\n');
  });

  test('does not wait when there is much', () => {
    const { file, settle, text } = fakeFile();
    new LogLines(file).write('x'.repeat(32 * 1024));
    settle();
    expect(text()).toHaveLength(32 * 1024);
  });

  test('drops what a full disk does not take, and goes on when there is room', () => {
    const { file, faults, settle, text } = fakeFile();
    const lines = new LogLines(file);
    faults.push('ENOSPC');
    lines.write('lost\n');
    vi.advanceTimersByTime(100);
    settle();
    lines.write('kept\n');
    vi.advanceTimersByTime(100);
    settle();
    expect(text()).toBe('kept\n');
  });

  test('tries again where the reader is slow', () => {
    const { file, faults, settle, text } = fakeFile();
    const lines = new LogLines(file);
    faults.push('EAGAIN');
    lines.write('late\n');
    vi.advanceTimersByTime(100);
    settle();
    expect(text()).toBe('');
    vi.advanceTimersByTime(100);
    settle();
    expect(text()).toBe('late\n');
  });

  test('writes nothing more once the reader has gone', () => {
    const { file, faults, settle, calls } = fakeFile();
    const lines = new LogLines(file);
    faults.push('EPIPE');
    lines.write('one\n');
    vi.advanceTimersByTime(100);
    settle();
    lines.write('two\n');
    vi.advanceTimersByTime(1000);
    expect(calls).toHaveLength(0);
  });

  test('keeps no more than 4 MiB for a reader that does not read', () => {
    const { file, settle, text } = fakeFile();
    const lines = new LogLines(file);
    for (let index = 0; index < 100; index += 1) lines.write('x'.repeat(100 * 1024));
    settle();
    expect(text().length).toBeLessThanOrEqual(4 * 1024 * 1024 + 100 * 1024);
    expect(text().length).toBeGreaterThan(4_000_000);
  });

  test('at the end writes what is left, and gives up on a full disk', () => {
    const { file, faults, text } = fakeFile({ bytesMax: 2 });
    const lines = new LogLines(file);
    lines.write('end\n');
    lines.flush();
    expect(text()).toBe('end\n');
    faults.push('ENOSPC');
    lines.write('lost\n');
    lines.flush();
    lines.flush();
    expect(text()).toBe('end\n');
  });

  test('counts what it drops because nobody reads, and says so when somebody does again', () => {
    const { file, settle, calls } = fakeFile();
    const lines = new LogLines(file);
    const told: number[] = [];
    lines.onResume((lost) => told.push(lost));
    const long = `${'x'.repeat(1024 * 1024)}\n`;
    for (let index = 0; index < 10; index += 1) lines.write(long);
    lines.write('two\nlines\n');
    // One is being written, as many as are kept wait; the rest is lost.
    expect([calls.length, lines.lost, told]).toEqual([1, 6, []]);
    settle();
    lines.write(long);
    settle();
    expect([lines.lost, told]).toEqual([6, [6]]);
  });

  test('counts what a full disk does not take', () => {
    const { file, faults, settle, text } = fakeFile();
    const lines = new LogLines(file);
    const told: number[] = [];
    lines.onResume((lost) => told.push(lost));
    faults.push('ENOSPC', 'ENOSPC');
    for (const line of ['one\ntwo\n', 'three\n', 'four\n', 'five\n']) {
      lines.write(line);
      vi.advanceTimersByTime(100);
      settle();
    }
    expect([lines.lost, told, text()]).toEqual([3, [3], 'four\nfive\n']);
  });

  test('counts what comes for a reader that has gone', () => {
    const { file, faults, settle } = fakeFile();
    const lines = new LogLines(file);
    faults.push('EPIPE');
    for (const line of ['one\n', 'two\n']) {
      lines.write(line);
      vi.advanceTimersByTime(100);
      settle();
    }
    expect(lines.lost).toBe(2);
  });
});
