/** A router with an ensemble in front of an engine that knows its part, for tests of what ensembles do. */
import { onTestFinished } from 'vitest';
import { requestsSchema } from '../../src/admin/contract.ts';
import {
  panelPrompts,
  startPanelEngine,
  type PanelEngine,
  type PanelOptions,
} from '../fake-engine/panel-engine.ts';
import { ask, type Asking, type AskOptions } from './client.ts';
import { startRouter, type TestRouter } from './start-router.ts';

/** The ensemble `panel`, of the engine's model. */
export const panel = { models: 'm', prompts: panelPrompts };

export const messages = [
  { role: 'system', content: 'Be short.' },
  { role: 'user', content: 'Why is the sky blue?' },
];

export interface Panel {
  readonly engine: PanelEngine;
  readonly router: TestRouter;
}

/** Both end with the test. `backend`: more of its configuration. */
export async function startPanel(
  config: object = {},
  options: PanelOptions = {},
  backend: object = {},
): Promise<Panel> {
  const engine = await startPanelEngine(options);
  onTestFinished(() => engine.close());
  const router = await startPanelRouter({
    backends: { one: { url: engine.url, engine: 'openai', ...backend } },
    ensembles: { panel },
    ...config,
  });
  return { engine, router };
}

/** Ends with the test. */
export async function startPanelRouter(config: object): Promise<TestRouter> {
  const router = await startRouter(config);
  onTestFinished(() => router[Symbol.asyncDispose]());
  await router.ready();
  return router;
}

/** Asks the ensemble; `more` goes into the body. */
export function askPanel(router: TestRouter, more: object = {}, options: AskOptions = {}): Asking {
  const body = { model: 'panel', messages, ...more };
  return ask(`${router.url}/v1/chat/completions`, { ...options, body });
}

/** What the answer says. */
export function contentOf(body: Record<string, unknown>): unknown {
  return (body as { choices: { message: { content: unknown } }[] }).choices[0]?.message.content;
}

/** The last message of a request, as JSON. */
export function lastWords(body: Readonly<Record<string, unknown>> = {}): string {
  const last = (body['messages'] as { content: unknown }[] | undefined)?.at(-1);
  return JSON.stringify(last?.content ?? '');
}

export async function requestsOf(router: TestRouter) {
  return requestsSchema.parse((await ask(`${router.url}/api/requests`).answer).json());
}
