/**
 * docs/dialects.md: what of each API's requests reaches an engine that speaks another one. Found out by translating a
 * sample of every member, so that it says what the code does.
 */
import type { Dialect, DialectName } from '../../src/dialects/dialect.ts';
import { dialects } from '../../src/dialects/index.ts';
import type { EngineHabits } from '../../src/domain/engine-habits.ts';
import { engineKinds } from '../../src/engines/kinds/index.ts';
import { dialectRoutes, otherRoutes } from '../../src/gateway/translation/dialect-routes.ts';
import { translatableRoutes, type TranslatableRoute } from '../../src/domain/routes.ts';
import { requestSamples as messages } from '../../test/dialects/samples/anthropic-messages.ts';
import { requestSamples as ollamaChat } from '../../test/dialects/samples/ollama-chat.ts';
import { requestSamples as ollamaGenerate } from '../../test/dialects/samples/ollama-generate.ts';
import { requestSamples as chat } from '../../test/dialects/samples/openai-chat.ts';
import { requestSamples as completions } from '../../test/dialects/samples/openai-completions.ts';
import { requestSamples as responses } from '../../test/dialects/samples/openai-responses.ts';
import type { RequestSample } from '../../test/dialects/samples/request-sample.ts';
import type { GeneratedDocument } from './document.ts';
import { generatedNote, table } from './document.ts';

const titles: Readonly<Record<DialectName, string>> = {
  'openai-chat': 'Chat completions',
  'openai-completions': 'Text completions',
  'openai-responses': 'Responses',
  'anthropic-messages': 'Messages',
  'ollama-chat': 'Ollama chat',
  'ollama-generate': 'Ollama generate',
};

const samples: Readonly<Record<DialectName, readonly RequestSample[]>> = {
  'openai-chat': chat,
  'openai-completions': completions,
  'openai-responses': responses,
  'anthropic-messages': messages,
  'ollama-chat': ollamaChat,
  'ollama-generate': ollamaGenerate,
};

const intro = `${generatedNote}

# Dialects

A request passes to its engine as it came where the engine has the client's route itself. Where it has not, the router
translates the request to a route that the engine has and the answer back, streamed or whole, errors included. What an
engine could not be told is listed in the \`x-llamero-dropped\` header of the answer.

${table(['client asks', 'the engine is asked by, in this order'], routeRows())}

The tables below say for each member of a request what becomes of it in the other APIs: ✓ it is carried, – it is left out
and named in \`x-llamero-dropped\`, blank: such a request cannot be put in that API at all. They are made by translating a
sample of every member, for llama.cpp in OpenAI's and Anthropic's APIs and for Ollama in its own; other engines differ where
they take fewer members. Members that no API knows are passed on to engines that ignore
what they do not know.`;

export const dialectsDocument: GeneratedDocument = {
  path: 'docs/dialects.md',
  render: () => {
    const sections = Object.values(dialects).map(
      (client) => `## ${titles[client.name]}\n\n${fieldTable(client)}`,
    );
    return `${[intro, ...sections].join('\n\n')}\n`;
  },
};

function routeRows(): string[][] {
  return translatableRoutes.map((route) => [
    `${titles[dialectRoutes[route].dialect]} (\`${dialectRoutes[route].path}\`)`,
    [route, ...otherRoutes[route]].map((other) => `\`${dialectRoutes[other].path}\``).join(', '),
  ]);
}

function fieldTable(client: Dialect): string {
  const targets = targetsOf(client.name);
  const rows = samples[client.name].map((sample) => [
    `\`${sample.field}\``,
    ...targets.map((target) => fateOf(sample, client, target)),
  ]);
  return table(['member', ...targets.map(({ name }) => titles[name])], rows);
}

function targetsOf(client: DialectName): Dialect[] {
  const route = translatableRoutes.find((name) => dialectRoutes[name].dialect === client);
  return route === undefined
    ? []
    : otherRoutes[route].map((other: TranslatableRoute) => dialects[dialectRoutes[other].dialect]);
}

function fateOf({ body }: RequestSample, client: Dialect, target: Dialect): string {
  let isWhole = true;
  const onDropped = (): void => void (isWhole = false);
  const written = target.writeRequest(client.readRequest(body), { habits: habitsFor(target), onDropped });
  if (written === undefined) return '';
  return isWhole ? '✓' : '–';
}

function habitsFor({ name }: Dialect): EngineHabits {
  return name.startsWith('ollama-') ? engineKinds.ollama.habits : engineKinds.llamacpp.habits;
}
