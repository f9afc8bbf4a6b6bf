/** A changed file under a program whose models run and stream. */
import { describe, expect, test } from 'vitest';
import { isAlive } from '../processes/harness.ts';
import { ask, chat } from './client.ts';
import { fakeCommand, withModels } from './fake-models.ts';
import { pidsIn } from './model-log.ts';
import { configText, startProgram } from './start-program.ts';
import { until } from './start-router.ts';

const together = { groups: { all: { swap: false, exclusive: false, members: ['kept', 'changed'] } } };
const slow = (id: string, more = '') => ({ cmd: fakeCommand(id, `--tokens-per-s 40 ${more}`) });

async function serving(config: object) {
  const program = await startProgram(['serve', '--config', 'r.yaml'], { 'r.yaml': configText(config) });
  const url = await program.url();
  const reloads = () => program.stderr().match(/configuration (not )?reloaded/g)?.length ?? 0;
  return {
    program,
    url,
    reloads,
    write: (next: object) => program.write('r.yaml', configText(next)),
    async reload(next: object) {
      const before = reloads();
      program.write('r.yaml', configText(next));
      program.signal('SIGHUP');
      await until(() => reloads() > before);
    },
    pids: async (model?: string) => pidsIn(await program.log(), model),
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  };
}

describe('a reload that changes the command of one of two models', () => {
  test('leaves the other its pid and its stream, drains the changed one, and starts it anew when it is wanted', async () => {
    const config = await withModels({ kept: slow('kept'), changed: slow('changed') }, together);
    await using setup = await serving(config);
    const streamOf = (model: string) => chat(setup.url, { model, stream: true, max_tokens: 100 });
    const streams = [streamOf('kept'), streamOf('changed')];
    await Promise.all(streams.map(({ head }) => head));
    const [kept = 0] = await setup.pids('kept');
    const [changed = 0] = await setup.pids('changed');
    const models = { ...config.models, changed: slow('changed', '--slots 2') };
    await setup.reload({ ...config, models });
    expect(isAlive(changed)).toBe(true);

    const answers = await Promise.all(streams.map(({ answer }) => answer));
    expect(answers.map(({ complete, body }) => [complete, body.includes('data: [DONE]')])).toEqual([
      [true, true],
      [true, true],
    ]);
    await until(() => !isAlive(changed));
    expect(isAlive(kept)).toBe(true);
    expect(await setup.pids()).toHaveLength(2);

    for (const model of ['kept', 'changed'])
      expect((await chat(setup.url, { model, max_tokens: 2 }).answer).status).toBe(200);
    expect(await setup.pids('kept')).toEqual([kept]);
    const changedPids = await setup.pids('changed');
    expect([changedPids.length, changedPids[0], new Set(changedPids).size]).toEqual([2, changed, 2]);
  });

  test('keeps the profile, rows and captures', async () => {
    const config = await withModels(
      { kept: {}, changed: {} },
      { ...together, profiles: { day: { pins: { x: 'kept' } } } },
    );
    await using setup = await serving(config);
    const json = async (path: string) => (await ask(setup.url + path).answer).json();
    await ask(`${setup.url}/api/profiles/active`, { method: 'PUT', body: { name: 'day' } }).answer;
    await chat(setup.url, { model: 'x' }).answer;
    const rowsBefore = await json('/api/metrics/activity');
    const [row] = rowsBefore['data'] as { id: number }[];
    const capture = await json(`/api/captures/${row?.id}`);
    await setup.reload({ ...config, models: { ...config.models, changed: slow('changed') } });
    expect((await json('/api/profiles'))['active']).toBe('day');
    expect(await json('/api/metrics/activity')).toEqual(rowsBefore);
    expect(await json(`/api/captures/${row?.id}`)).toEqual(capture);
    const again = await chat(setup.url, { model: 'x' }).answer;
    expect([again.status, again.headers['x-llamero-backend']]).toEqual([200, 'kept']);
    expect(await setup.pids()).toHaveLength(1);
  });
});

test('reloads asked for during a reload are done one after the other, and the last file is in force', async () => {
  const config = await withModels({ kept: slow('kept'), changed: slow('changed') }, together);
  await using setup = await serving(config);
  const stream = chat(setup.url, { model: 'kept', stream: true, max_tokens: 100 });
  await stream.head;
  const [pid = 0] = await setup.pids('kept');
  const times = 5;
  for (let round = 1; round <= times; round += 1) {
    setup.write({ ...config, models: { ...config.models, [`extra${round}`]: slow('x') } });
    // Asked for while the last one may still be at work: signals of one kind that nobody has seen yet become one.
    void ask(`${setup.url}/api/reload`, { method: 'POST' }).answer;
  }
  await until(() => setup.reloads() >= times);
  const listed = (await ask(`${setup.url}/v1/models`).answer).json()['data'] as { id: string }[];
  expect(listed.map(({ id }) => id)).toEqual(['changed', `extra${times}`, 'kept']);
  expect((await stream.answer).complete).toBe(true);
  expect([isAlive(pid), await setup.pids('kept')]).toEqual([true, [pid]]);
});
