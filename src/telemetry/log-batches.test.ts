import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';

const log = JSON.stringify(new URL('log.ts', import.meta.url).href);
const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

/** A program that writes lines to its log, which is no terminal, and then does something. */
function startProgram(lines: readonly string[], then: string) {
  const script = `const { createLog } = await import(${log});
    const { logger } = createLog({ config: { level: 'info', format: 'json', requests: true }, terminal: false });
    for (const line of ${JSON.stringify(lines)}) logger.info(line);
    ${then}`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  stops.push(() => child.kill('SIGKILL'));
  let text = '';
  child.stderr.on('data', (bytes: Buffer) => (text += bytes.toString()));
  return { child, messages: () => [...text.matchAll(/"msg":"([^"]*)"/g)].map(([, message]) => message) };
}

describe('the log, where stderr is no terminal', () => {
  test('is written while the program runs', async () => {
    const { child, messages } = startProgram(['one', 'two'], 'setInterval(() => {}, 1000);');
    await once(child.stderr, 'data');
    expect(messages()).toEqual(['one', 'two']);
  });

  test.each([
    ['exits', 'process.exit(0);'],
    ['crashes', 'setTimeout(() => { throw new Error("crash"); });'],
  ])('is complete when the program %s', async (_, then) => {
    const { child, messages } = startProgram(['first', 'last words'], then);
    await once(child, 'close');
    expect(messages()).toEqual(['first', 'last words']);
  });
});
