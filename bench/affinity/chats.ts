/**
 * Chats over real llama-servers: several users at once, each with one conversation after the other under one of a few system
 * texts. Measures by the engines' own timings what share of the prompts came from their caches.
 */
import { chat } from '../../test/integration/client.ts';
import { startRouter } from '../../test/integration/start-router.ts';
import { modelFile } from '../../test/real/gguf.ts';
import { startLlamaServer } from '../../test/real/llama-server.ts';

export interface ChatPolicy {
  readonly name: string;
  /** Merged into the router's configuration. */
  readonly config: object;
}

export interface ChatResult {
  readonly policy: string;
  readonly cachedShare: number;
  readonly requests: number;
  /** Time that the engines spent on prompts. */
  readonly promptMs: number;
  readonly elapsedMs: number;
  /** Requests of the busiest server by the mean. */
  readonly maxToMean: number;
}

const servers = 3;
const slots = 2;
const users = 4;
const conversationsPerUser = 3;
const turns = 5;
const systemTexts = 2;
const answerTokens = 8;

interface Timings {
  readonly cache_n: number;
  readonly prompt_n: number;
  readonly prompt_ms: number;
}

interface Message {
  readonly role: string;
  readonly content: string;
}

/** Starts servers and router anew, so that no policy finds what another one has left. */
export async function runChats({ name, config }: ChatPolicy): Promise<ChatResult> {
  const model = modelFile({ ballast: 8 });
  const args = ['--alias', 'test', '--cache-ram', '0'];
  const started = await Promise.all(
    Array.from({ length: servers }, () => startLlamaServer({ model, slots, contextTokens: 8192, args })),
  );
  try {
    const backends = Object.fromEntries(started.map(({ url }, at) => [`s${at}`, { url }]));
    await using router = await startRouter({ backends, ...config });
    await router.ready();
    const timings: Timings[] = [];
    const places = new Map<string, number>();
    const startedMs = performance.now();
    const ask = async (messages: readonly Message[]): Promise<string> => {
      const answer = await chat(router.url, { model: 'test', max_tokens: answerTokens, messages }).answer;
      if (answer.status !== 200) throw new Error(`${answer.status} ${answer.body.toString()}`);
      const body = answer.json() as unknown as {
        timings: Timings;
        choices: readonly { message: { content: string | null } }[];
      };
      timings.push(body.timings);
      const place = String(answer.headers['x-llamero-backend']);
      places.set(place, (places.get(place) ?? 0) + 1);
      return body.choices[0]?.message.content ?? '';
    };
    await Promise.all(Array.from({ length: users }, (_, user) => talk(user, ask)));
    const cached = timings.reduce((sum, { cache_n }) => sum + cache_n, 0);
    const read = timings.reduce((sum, { prompt_n }) => sum + prompt_n, 0);
    return {
      policy: name,
      cachedShare: cached / (cached + read),
      requests: timings.length,
      promptMs: timings.reduce((sum, { prompt_ms }) => sum + prompt_ms, 0),
      elapsedMs: performance.now() - startedMs,
      maxToMean: (Math.max(...places.values()) * servers) / timings.length,
    };
  } finally {
    await Promise.all(started.map((server) => server.stop()));
  }
}

async function talk(user: number, ask: (messages: readonly Message[]) => Promise<string>): Promise<void> {
  for (let round = 0; round < conversationsPerUser; round += 1) {
    const messages: Message[] = [
      { role: 'system', content: words(500, `rule${(user + round) % systemTexts}-`) },
    ];
    for (let turn = 0; turn < turns; turn += 1) {
      messages.push({ role: 'user', content: words(60, `user${user}-${round}-${turn}-`) });
      messages.push({ role: 'assistant', content: await ask(messages) });
    }
  }
}

function words(count: number, seed: string): string {
  return Array.from({ length: count }, (_, at) => `${seed}${at % 97}`).join(' ');
}
