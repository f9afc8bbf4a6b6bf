/** Routers for the tests of client libraries: real llama-servers behind one, an engine of the matrix behind the other. */
import { startRouter, type TestRouter } from '../../integration/start-router.ts';
import { modelFile } from '../../real/gguf.ts';
import { startLlamaServer } from '../../real/llama-server.ts';
import { startRecordedEngine, type Cell } from '../engines/recorded-engine.ts';
import { subjects } from '../engines/subjects.ts';
import { scenarios } from '../scenario.ts';

export interface RealEngines extends AsyncDisposable {
  readonly url: string;
}

/** One llama-server under two names: with all of its own APIs, and as if it had chat and text completions only. */
export const realModels = ['native', 'chat-only'] as const;
export const embedModel = 'vectors';

export async function startRealEngines(): Promise<RealEngines> {
  const [chat, embed] = await Promise.all([
    startLlamaServer({
      model: modelFile({ stops: false }),
      args: ['--alias', realModels.join(','), '--jinja'],
    }),
    startLlamaServer({
      model: modelFile({ kind: 'embed' }),
      contextTokens: 512,
      args: ['--alias', embedModel, '--embedding'],
    }),
  ]);
  const router = await startRouter({
    backends: {
      native: { url: chat.url, models: ['native'] },
      'chat-only': {
        url: chat.url.replace('127.0.0.1', 'localhost'),
        models: ['chat-only'],
        translate: ['messages', 'responses'],
      },
      embed: { url: embed.url },
    },
  });
  await router.ready();
  return {
    url: router.url,
    async [Symbol.asyncDispose]() {
      await router[Symbol.asyncDispose]();
      await Promise.all([chat.stop(), embed.stop()]);
    },
  };
}

export interface RecordedRouter extends AsyncDisposable {
  readonly url: string;
  /** Text to put before the question, so that the engine answers it by the scenario, and what reaches the engine. */
  play(scenarioName: string): { readonly mark: string; readonly cell: Cell };
}

/** Engines with one API each: whatever a library asks, most of it has to be translated. */
export const recordedTitles = ['chat completions only', 'Messages only', 'Responses only', 'Ollama'] as const;

export async function startRecorded(title: (typeof recordedTitles)[number]): Promise<RecordedRouter> {
  const subject = subjects.find((each) => each.title === title);
  if (subject === undefined) throw new Error(`no engine '${title}'`);
  const engine = await startRecordedEngine(subject);
  const router: TestRouter = await startRouter({
    backends: { e: { url: engine.url, translate: subject.translate } },
  });
  await router.ready();
  let marks = 0;
  return {
    url: router.url,
    play(name) {
      const scenario = scenarios.find((each) => each.name === name);
      if (scenario === undefined) throw new Error(`no scenario '${name}'`);
      const mark = `cell-${marks++}:`;
      return { mark, cell: engine.open(mark, scenario) };
    },
    async [Symbol.asyncDispose]() {
      await router[Symbol.asyncDispose]();
      await engine.close();
    },
  };
}
