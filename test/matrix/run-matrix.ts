/**
 * The matrix for one client: every engine, streamed and whole, every scenario, through a real router with the official
 * client as the judge. Prints how many cells ran, passed, and which cannot be.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startRouter, until, type TestRouter } from '../integration/start-router.ts';
import type { Asking, Caller } from './callers/caller.ts';
import { startRecordedEngine, type Cell, type RecordedEngine } from './engines/recorded-engine.ts';
import { modelName, subjects, type Subject } from './engines/subjects.ts';
import type { Wire } from './engines/wire.ts';
import { droppedName, expectedArrival, expectedHeard, expectedRefusal, unsupported } from './expectations.ts';
import {
  isFault,
  midStreamMessage,
  refusals,
  retryAfterS,
  scenarios,
  type Asked,
  type Call,
  type Fault,
  type Result,
  type Scenario,
  type Turn,
} from './scenario.ts';

export function runMatrix(caller: Caller): void {
  const counts = new Map<string, { run: number; passed: number }>();
  const reasons = new Map<string, number>();
  let marks = 0;
  describe.each(subjects)(`${caller.title} → $title`, (subject) => {
    const count = { run: 0, passed: 0 };
    counts.set(subject.title, count);
    let engine: RecordedEngine;
    let router: TestRouter;
    beforeAll(async () => {
      engine = await startRecordedEngine(subject);
      router = await startRouter({
        backends: { e: { url: engine.url, slots: 8, translate: subject.translate } },
        // Engines break often here, and other cells go on meanwhile.
        probes: { interval: '1s', breakerFailures: 1000 },
      });
      await router.ready();
    });
    afterAll(async () => {
      await router[Symbol.asyncDispose]();
      await engine.close();
    });
    for (const scenario of scenarios) {
      const reason = unsupported(caller, subject, scenario);
      if (reason !== undefined) {
        reasons.set(reason, (reasons.get(reason) ?? 0) + 2);
        continue;
      }
      for (const stream of [true, false]) {
        const mark = `cell-${marks++}:`;
        test.concurrent(`${scenario.name}, ${stream ? 'streamed' : 'whole'}`, async () => {
          count.run++;
          const cell = engine.open(mark, scenario);
          await runCell({ caller, subject, scenario, stream, mark, cell, url: router.url });
          count.passed++;
        });
      }
    }
    test('no request is left behind', async () => {
      await until(async () => (await router.status()).backends.every(({ slots }) => slots.own === 0));
    });
  });
  afterAll(() => {
    const cells = Array.from(counts, ([title, { run, passed }]) => `${title} ${passed}/${run}`).join(', ');
    const not = Array.from(reasons, ([reason, number]) => `\n  ${number} not possible: ${reason}`).join('');
    console.log(`matrix: ${caller.title}: ${cells}${not}`);
  });
}

interface Running {
  readonly caller: Caller;
  readonly subject: Subject;
  readonly scenario: Scenario;
  readonly stream: boolean;
  readonly mark: string;
  readonly cell: Cell;
  readonly url: string;
}

interface Outcome {
  readonly said: string;
  readonly headers: Headers;
}

async function runCell(running: Running): Promise<void> {
  let calls: readonly Call[] = [];
  for (const [index, turn] of running.scenario.turns.entries()) {
    const asked: Asked = {
      ...turn.asked,
      text: `${running.mark} ${turn.asked.text}`,
      // The ids are those that the client heard.
      ...(turn.asked.results && {
        results: turn.asked.results.map((result, at): Result => ({
          ...result,
          call: calls[at] ?? result.call,
        })),
      }),
    };
    if (isFault(turn.answer)) await runFault(running, asked, turn.answer);
    else calls = await runTurn(running, { asked, answer: turn.answer }, index);
  }
}

async function runTurn(
  running: Running,
  turn: Turn & { answer: { calls?: readonly Call[] } },
  index: number,
): Promise<readonly Call[]> {
  const { caller, subject, scenario, stream, cell } = running;
  const { asked, answer } = turn;
  if (isFault(answer)) return [];
  const { asking, outcome } = prepare(running, asked);
  const heard = await caller.ask(asking);
  const arrived = cell.arrived[index];
  expect(cell.arrived).toHaveLength(index + 1);
  const wire = wireOf(subject, arrived?.path);
  const sides = { caller, subject, wire, stream };
  expect(arrived).toMatchObject(expectedArrival(asked, sides));
  const { results = [] } = asked;
  expect(arrived?.calls.map(({ name, arguments: values }) => ({ name, values }))).toEqual(
    results.map(({ call: { name, arguments: values } }) => ({ name, values })),
  );
  expect(arrived?.results).toEqual(results.map(({ text }, at) => ({ id: arrived?.calls[at]?.id, text })));
  expect(heard).toMatchObject(expectedHeard(asked, answer, sides));
  expect(heard.calls.map(({ name, arguments: values }) => ({ name, values }))).toEqual(
    (answer.calls ?? []).map(({ name, arguments: values }) => ({ name, values })),
  );
  expect(new Set(heard.calls.map(({ id }) => id)).size).toBe(heard.calls.length);
  const dropped = droppedName(scenario, wire);
  if (dropped !== undefined) expect(outcome().headers.get('x-llamero-dropped')).toMatch(dropped);
  if (stream && heard.texts.length === 1) expect(outcome().said).toBe(heard.texts[0]);
  return heard.calls;
}

async function runFault(running: Running, asked: Asked, fault: Fault): Promise<void> {
  const { caller, subject, cell, stream } = running;
  const leaving = new AbortController();
  const { asking, outcome } = prepare(running, asked, {
    signal: leaving.signal,
    onText: () => {
      if (fault.kind === 'hold') leaving.abort();
    },
  });
  const answer = caller.ask(asking).then(
    (heard) => Promise.reject(new Error(`it was answered: ${JSON.stringify(heard)}`)),
    (thrown: unknown) => caller.read(thrown),
  );
  if (fault.kind === 'hold') {
    if (!stream) {
      await until(() => cell.arrived.length > 0);
      leaving.abort();
    }
    await answer;
    await until(() => cell.left);
    return;
  }
  const failure = await answer;
  expect(cell.arrived).toHaveLength(1);
  if (fault.kind === 'refuse') {
    const { status } = refusals[fault.refusal];
    const wire = wireOf(subject, cell.arrived[0]?.path);
    const message = expectedRefusal(fault.refusal, { caller, subject, wire, stream });
    expect(failure).toMatchObject({ status, message: expect.stringContaining(message) as string });
    if (status === 429) expect(outcome().headers.get('retry-after')).toBe(String(retryAfterS));
    return;
  }
  if (fault.kind === 'error') expect(failure.message).toContain(midStreamMessage);
  if (stream) expect(outcome().said).toBe(fault.after);
}

function prepare(
  { url, stream }: Running,
  asked: Asked,
  more: { signal?: AbortSignal; onText?: () => void } = {},
): { asking: Asking; outcome: () => Outcome } {
  let said = '';
  let headers = new Headers();
  const asking: Asking = {
    url,
    model: modelName,
    asked,
    stream,
    signal: more.signal ?? new AbortController().signal,
    onText(text) {
      said += text;
      if (text !== '') more.onText?.();
    },
    async fetch(input, init) {
      const response = await fetch(input, init);
      headers = response.headers;
      return response;
    },
  };
  return { asking, outcome: () => ({ said, headers }) };
}

function wireOf({ wires }: Subject, path: string | undefined): Wire {
  const wire = Object.values(wires).find((each) => each.path === path);
  if (wire === undefined) throw new Error(`nothing came to the engine, or to ${path}`);
  return wire;
}
