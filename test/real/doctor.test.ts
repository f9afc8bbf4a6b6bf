/** What `llamero doctor` says of real llama-servers that were started in unhelpful ways. */
import { afterEach, expect, test } from 'vitest';
import { configText, startProgram } from '../integration/start-program.ts';
import { modelFile } from './gguf.ts';
import { realLlamaServer, startLlamaServer, type LlamaServer } from './llama-server.ts';

const { path, missing } = realLlamaServer();
const servers: LlamaServer[] = [];
afterEach(() => Promise.all(servers.splice(0).map((server) => server.stop())));

async function adviceFor(args: readonly string[], backend: object = {}, slots = 4): Promise<string[]> {
  const server = await startLlamaServer({ model: modelFile(), args, slots });
  servers.push(server);
  const config = configText({ backends: { real: { url: server.url, ...backend } } });
  await using program = await startProgram(['doctor', '--json'], { 'llamero.yaml': config });
  await program.ended();
  const { findings } = JSON.parse(program.stdout()) as {
    findings: { check: string; level: string; saw: string; change: string }[];
  };
  return findings
    .filter(({ check }) => check === 'backends')
    .map(({ level, saw, change }) => (level === 'ok' ? saw : `${level}: ${saw} (${change})`));
}

test('a llama-server with slots and metrics gets no advice', async (context) => {
  context.skip(path === undefined, missing);
  expect(await adviceFor(['--metrics'])).toEqual([expect.stringMatching(/^llama\.cpp b\d+.*, slots: 4, /)]);
});

test('a llama-server that hides its slots and has only one is told of', async (context) => {
  context.skip(path === undefined, missing);
  expect(await adviceFor(['--no-slots'], {}, 1)).toEqual([
    expect.stringMatching(/^llama\.cpp b\d+.*, slots: 1, /),
    expect.stringMatching(/^warning: its slots cannot be read.*\(start it without --no-slots/),
    expect.stringMatching(/^note: it has one slot.*--parallel/),
  ]);
});

test('a llama-server that wants a key is told of, and the right key is good', async (context) => {
  context.skip(path === undefined, missing);
  const args = ['--metrics', '--api-key', 'sesame'];
  expect(await adviceFor(args)).toEqual([expect.stringMatching(/^error: .* refuses the key, or wants one/)]);
  expect(await adviceFor(args, { apiKey: 'sesame' })).toEqual([expect.stringMatching(/^llama\.cpp b\d+/)]);
});
