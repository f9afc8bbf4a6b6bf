/** The program ends in every way there is, with children that do not want to: nothing of it is left on the machine. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { readProcTable } from '../../src/process/proc-table.ts';
import { chat } from '../integration/client.ts';
import { fakeCommand } from '../integration/fake-models.ts';
import { freePorts } from '../integration/free-ports.ts';
import { pidsIn } from '../integration/model-log.ts';
import { configText, startProgram, type Program } from '../integration/start-program.ts';
import { until } from '../integration/start-router.ts';
import { eventually, here, isLinux, survivors } from './harness.ts';

const server = (flags = '') =>
  `'${process.execPath}' '${join(here, 'model-server.ts')}' --port \${PORT} ${flags}`;
const behind = (script: string, command: string) => `sh '${join(here, script)}' ${command}`;

/** A server that ignores SIGTERM beside a grandchild that holds its pipes, and one that forks in every way. */
const unruly = {
  deaf: { cmd: behind('pipe-holder.sh', server('--sigterm ignore')) },
  forking: { cmd: behind('forking-wrapper.sh', behind('escaping-wrapper.sh', server())) },
};
/** deaf: server and holder; forking: wrapper, server and two sleepers. */
const unrulyCount = 6;

beforeEach((context) => {
  context.skip(!isLinux, 'who is left is seen in /proc alone');
});

interface Running extends AsyncDisposable {
  readonly program: Program;
  readonly url: string;
  /** Pids of the program and of everything that it or its children started. */
  all(): Promise<number[]>;
}

async function running(
  models: object,
  more: object = {},
  env: Record<string, string> = {},
): Promise<Running> {
  const mark = randomUUID();
  const text = configText({
    startPort: await freePorts(Object.keys(models).length),
    healthCheckTimeout: 20,
    unloadTimeout: 1,
    models,
    groups: { all: { swap: false, exclusive: false, members: Object.keys(models) } },
    ...more,
  });
  const program = await startProgram(
    ['serve', '--config', 'r.yaml'],
    { 'r.yaml': text },
    { ...env, LLAMERO_TEST: mark },
  );
  return {
    program,
    url: await program.url(),
    all: () => survivors(mark),
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  };
}

async function load({ url, program }: Running, ...models: string[]): Promise<void> {
  const answers = await Promise.all(models.map((model) => chat(url, { model }).answer));
  expect(answers.map(({ status }) => status)).toEqual(models.map(() => 200));
  expect(pidsIn(await program.log())).toHaveLength(models.length);
}

async function expectNobodyLeft(setup: Running): Promise<void> {
  await until(async () => (await setup.all()).length === 0);
}

describe('RTR-9 nothing is left of unruly models', () => {
  test.each<[string, NodeJS.Signals, number | string]>([
    ['SIGTERM', 'SIGTERM', 0],
    ['SIGINT', 'SIGINT', 0],
    ['kill -9', 'SIGKILL', 'SIGKILL'],
    ['a crash of the runtime', 'SIGABRT', 'SIGABRT'],
    ['an uncaught exception', 'SIGUSR2', 1],
  ])('after %s', async (_name, signal, status) => {
    // Throws where no one catches it, as a defect of the program would.
    const defect = "process.on('SIGUSR2', () => { throw new Error('a defect') })";
    const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(defect)}` };
    await using setup = await running(unruly, {}, env);
    await load(setup, 'deaf', 'forking');
    expect((await setup.all()).length).toBeGreaterThanOrEqual(1 + unrulyCount);
    setup.program.signal(signal);
    expect(await setup.program.ended()).toBe(status);
    await expectNobodyLeft(setup);
  });

  test('after SIGINT twice, at once, however long the models may take to stop', async () => {
    await using setup = await running(unruly, { unloadTimeout: 120 });
    await load(setup, 'deaf', 'forking');
    setup.program.signal('SIGINT');
    await until(() => setup.program.stderr().includes('draining'));
    await until(async () => (await setup.all()).length > 0);
    const startedMs = performance.now();
    setup.program.signal('SIGINT');
    expect(await setup.program.ended()).toBe(0);
    expect(performance.now() - startedMs).toBeLessThan(5000);
    await expectNobodyLeft(setup);
  });
});

describe('SIGTERM', () => {
  test('while a model starts ends its start, and its client is told', async () => {
    const models = { never: { cmd: server('--never-ready --sigterm ignore') } };
    await using setup = await running(models, { drain: { timeout: '300ms' } });
    const asking = chat(setup.url, { model: 'never' }).answer;
    await eventually(
      async () => (await setup.all()).length >= 2 && setup.program.stderr().includes('Model is loading'),
    );
    setup.program.signal('SIGTERM');
    const answer = await asking;
    expect([answer.status, answer.json()]).toMatchObject([503, { error: { code: 'shutting_down' } }]);
    expect(await setup.program.ended()).toBe(0);
    await expectNobodyLeft(setup);
  });

  test('while a model streams lets the stream come to its end', async () => {
    const models = { a: { cmd: fakeCommand('a', '--tokens-per-s 50') } };
    await using setup = await running(models);
    const stream = chat(setup.url, { model: 'a', stream: true, max_tokens: 60 });
    await stream.head;
    setup.program.signal('SIGTERM');
    const { complete, body } = await stream.answer;
    expect([complete, body.toString().endsWith('data: [DONE]\n\n')]).toEqual([true, true]);
    expect(await setup.program.ended()).toBe(0);
    await expectNobodyLeft(setup);
  });

  test('gives a model its unloadTimeout, and no longer', async () => {
    const models = {
      tidy: { cmd: server('--sigterm 700'), unloadTimeout: 10 },
      deaf: { cmd: server('--sigterm ignore'), unloadTimeout: 2 },
    };
    await using setup = await running(models, { logToStdout: 'both' });
    await load(setup, 'tidy', 'deaf');
    const startedMs = performance.now();
    setup.program.signal('SIGTERM');
    expect(await setup.program.ended()).toBe(0);
    const tookMs = performance.now() - startedMs;
    expect(tookMs).toBeGreaterThan(1900);
    expect(tookMs).toBeLessThan(6000);
    expect(setup.program.stdout() + setup.program.stderr()).toContain('cleaned up');
    await expectNobodyLeft(setup);
  });
});

test('a router ends at its start what an earlier one left, when that and its guard were killed', async () => {
  await using setup = await running({ deaf: unruly.deaf });
  await load(setup, 'deaf');
  const [child = 0] = pidsIn(await setup.program.log());
  const own = (await readProcTable())
    .filter(({ parent }) => parent === setup.program.pid)
    .map(({ pid }) => pid);
  expect(own).toContain(child);
  // The guard is the other child.
  for (const pid of [...own.filter((each) => each !== child), setup.program.pid])
    process.kill(pid, 'SIGKILL');
  expect(await setup.program.ended()).toBe('SIGKILL');
  expect(await setup.all()).toContain(child);
  await using next = await startProgram(['serve', '--config', join(setup.program.folder, 'r.yaml')]);
  await next.url();
  await expectNobodyLeft(setup);
  expect(await next.log()).toContainEqual(
    expect.objectContaining({ msg: 'Ended a process that an earlier router left behind' }),
  );
});
