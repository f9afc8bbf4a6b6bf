/** A router that keeps answers, in front of an engine that numbers its own, and what clients ask it. */
import { onTestFinished } from 'vitest';
import { say } from '../fake-engine/panel-engine.ts';
import {
  startScriptedEngine,
  type ScriptedAnswer,
  type ScriptedEngine,
  type ScriptedRequest,
} from '../fake-engine/scripted-engine.ts';
import { ask, type Answer } from './client.ts';
import { startRouter, type TestRouter } from './start-router.ts';

export type Script = (request: ScriptedRequest, index: number) => ScriptedAnswer;
export interface CachedRouter {
  readonly engine: ScriptedEngine;
  readonly router: TestRouter;
}

/** All that the engine has. */
const routes = new Set(['/v1/chat/completions', '/v1/completions', '/v1/embeddings']);
const counting: Script = (request, index) => say(request, `answer ${index + 1}`);

/** `cache` and `config` are merged over; both are closed after the test. */
export async function startCached(
  cache: object = {},
  config: object = {},
  answer: Script = counting,
  slots = 4,
): Promise<CachedRouter> {
  const engine = await startScriptedEngine({
    answer: (request, index) =>
      routes.has(request.path) ? answer(request, index) : { status: 404, body: { detail: 'Not Found' } },
  });
  onTestFinished(() => engine.close());
  const router = await startRouter({
    backends: { one: { url: engine.url, engine: 'openai', slots } },
    cache: { enabled: true, ...cache },
    ...config,
  });
  onTestFinished(() => router[Symbol.asyncDispose]());
  await router.ready();
  return { engine, router };
}

export const messages = [
  { role: 'system', content: 'Be short.' },
  { role: 'user', content: 'Why is the sky blue?' },
];
export const wish = { nomyo: { cache: true } };

export function chat(
  router: TestRouter,
  more: object = wish,
  headers: Readonly<Record<string, string>> = {},
) {
  return ask(`${router.url}/v1/chat/completions`, { body: { model: 'm', messages, ...more }, headers })
    .answer;
}

export const told = ({ headers }: Answer): unknown => headers['x-llamero-cache'];
export const contentOf = (answer: Answer): unknown =>
  (answer.json() as { choices: { message: { content: unknown } }[] }).choices[0]?.message.content;

export function eventsOf(answer: Answer): readonly Record<string, unknown>[] {
  const events = answer.body
    .toString()
    .split('\n\n')
    .filter((event) => event.startsWith('data: {'));
  return events.map((event) => JSON.parse(event.slice('data: '.length)) as Record<string, unknown>);
}

/** The text of a stream of chat completions. */
export function textOf(answer: Answer): string {
  const deltas = eventsOf(answer).map(
    ({ choices }) => (choices as { delta?: { content?: string } }[])[0]?.delta,
  );
  return deltas.map((delta) => delta?.content ?? '').join('');
}
