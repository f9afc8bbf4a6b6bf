/** What is asked, what the model says to it, and what must have reached the engine: the rows of the matrix. */

export type Fields = Readonly<Record<string, unknown>>;

export interface ToolSpec {
  readonly name: string;
  readonly description: string;
  readonly parameters: Fields;
}

export interface Call {
  readonly id: string;
  readonly name: string;
  readonly arguments: Fields;
}

/** The result of one call, in the order of the calls. */
export interface Result {
  readonly call: Call;
  readonly text: string;
}

/** A question in no API's terms. */
export interface Asked {
  readonly text: string;
  readonly system?: string;
  readonly tools?: readonly ToolSpec[];
  /** Base64 of a PNG. */
  readonly image?: string;
  readonly schema?: Fields;
  readonly stop?: string;
  readonly maxTokens?: number;
  readonly choices?: number;
  readonly logprobs?: boolean;
  readonly think?: boolean;
  /** A streaming client asks for the usage, where it has to ask. */
  readonly usage?: boolean;
  /** The turn before: what the model called, and what came out. */
  readonly results?: readonly Result[];
}

export interface Spoken {
  readonly thought?: string;
  /** One for each choice that was asked for. */
  readonly texts: readonly string[];
  readonly calls?: readonly Call[];
  readonly end: 'stop' | 'length' | 'tools';
  /** The text that it stopped at. */
  readonly stoppedAt?: string;
  readonly usage: { readonly input: number; readonly output: number; readonly cached: number };
}

/** What goes wrong. `refuse`: an error answer. `error`: an error in the stream. `cut`: the connection. `hold`: nothing more comes. */
export type Fault =
  | { readonly kind: 'refuse'; readonly refusal: Refusal }
  | { readonly kind: 'error' | 'cut' | 'hold'; readonly after: string };

export type Refusal = 'overflow' | 'unauthorized' | 'rate' | 'broken';

export interface Turn {
  readonly asked: Asked;
  readonly answer: Spoken | Fault;
}

/** What an API must have for the row to make sense. */
export type Feature = 'tools' | 'thought' | 'images' | 'schema' | 'stop' | 'choices' | 'logprobs';

export interface Scenario {
  readonly name: string;
  readonly needs?: Feature;
  readonly turns: readonly Turn[];
}

export const refusals: Readonly<Record<Refusal, { readonly status: number; readonly message: string }>> = {
  overflow: {
    status: 400,
    message: 'request (5953 tokens) exceeds the available context size (4096 tokens), try increasing it',
  },
  unauthorized: { status: 401, message: 'Invalid API Key' },
  rate: { status: 429, message: 'Rate limit reached for requests' },
  broken: { status: 500, message: 'CUDA error: an illegal memory access was encountered' },
};
export const retryAfterS = 17;
export const midStreamMessage = 'Context size has been exceeded.';

const usage = { input: 21, output: 9, cached: 0 };
const weather: ToolSpec = {
  name: 'get_weather',
  description: 'Weather of a city',
  parameters: {
    type: 'object',
    properties: {
      city: { type: 'string', description: 'Name – with accents: é' },
      days: { type: 'integer' },
    },
    required: ['city'],
  },
};
const clock: ToolSpec = {
  name: 'get_time',
  description: 'Time of a city',
  parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
};
const delft: Call = { id: 'call_delft_1', name: 'get_weather', arguments: { city: 'Delft "é"\n', days: 2 } };
const paris: Call = { id: 'call_paris_2', name: 'get_time', arguments: { city: 'Paris' } };
const schema = {
  type: 'object',
  properties: { city: { type: 'string' } },
  required: ['city'],
  additionalProperties: false,
};
/** One red pixel. */
const image =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==';

const speech = 'The river runs – señor, 你好 👋 – "on".\nIt\truns.';

const say = (text: string, more: Partial<Spoken> = {}): Spoken => ({
  texts: [text],
  end: 'stop',
  usage,
  ...more,
});
const fails = (kind: 'error' | 'cut' | 'hold'): Turn => ({
  asked: { text: 'Say something long.' },
  answer: { kind, after: 'Partly ' },
});
const refuses = (refusal: Refusal): Turn => ({
  asked: { text: 'Say something.' },
  answer: { kind: 'refuse', refusal },
});

export const scenarios: readonly Scenario[] = [
  {
    name: 'text',
    turns: [{ asked: { text: 'Tell me – über 🦙.', system: 'Be brief.' }, answer: say(speech) }],
  },
  {
    name: 'usage with cached tokens',
    turns: [
      { asked: { text: 'Again.', usage: true }, answer: say('Yes.', { usage: { ...usage, cached: 16 } }) },
    ],
  },
  {
    name: 'tools, two turns',
    needs: 'tools',
    turns: [
      {
        asked: { text: 'Weather in Delft?', tools: [weather] },
        answer: say('', { calls: [delft], end: 'tools' }),
      },
      {
        asked: {
          text: 'Weather in Delft?',
          tools: [weather],
          results: [{ call: delft, text: '21 degrees, "sunny"' }],
        },
        answer: say('It is 21 degrees.'),
      },
    ],
  },
  {
    name: 'parallel tools after text, two turns',
    needs: 'tools',
    turns: [
      {
        asked: { text: 'Weather and time?', tools: [weather, clock] },
        answer: say('Let me look.', { calls: [delft, paris], end: 'tools' }),
      },
      {
        asked: {
          text: 'Weather and time?',
          tools: [weather, clock],
          results: [
            { call: delft, text: '21 degrees' },
            { call: paris, text: 'noon' },
          ],
        },
        answer: say('Warm at noon.'),
      },
    ],
  },
  {
    name: 'reasoning',
    needs: 'thought',
    turns: [
      {
        asked: { text: 'Why is the sky blue?', think: true },
        answer: say('Rayleigh.', { thought: 'Light scatters – a lot.' }),
      },
    ],
  },
  {
    name: 'image',
    needs: 'images',
    turns: [{ asked: { text: 'What is on it?', image }, answer: say('A red pixel.') }],
  },
  {
    name: 'json schema',
    needs: 'schema',
    turns: [{ asked: { text: 'Which city?', schema }, answer: say('{"city":"Delft"}') }],
  },
  {
    name: 'stop',
    needs: 'stop',
    turns: [{ asked: { text: 'Count.', stop: 'three' }, answer: say('one two ', { stoppedAt: 'three' }) }],
  },
  {
    name: 'length',
    turns: [{ asked: { text: 'Go on.', maxTokens: 5 }, answer: say('and on and', { end: 'length' }) }],
  },
  {
    name: 'two choices',
    needs: 'choices',
    turns: [{ asked: { text: 'Twice.', choices: 2 }, answer: say('first', { texts: ['first', 'second'] }) }],
  },
  {
    name: 'logprobs',
    needs: 'logprobs',
    turns: [{ asked: { text: 'How sure?', logprobs: true }, answer: say('very sure') }],
  },
  { name: 'context overflow', turns: [refuses('overflow')] },
  { name: 'refused key', turns: [refuses('unauthorized')] },
  { name: 'rate limit', turns: [refuses('rate')] },
  { name: 'broken engine', turns: [refuses('broken')] },
  { name: 'error in the answer', turns: [fails('error')] },
  { name: 'connection cut in the answer', turns: [fails('cut')] },
  { name: 'client leaves', turns: [fails('hold')] },
];

export function isFault(answer: Spoken | Fault): answer is Fault {
  return 'kind' in answer;
}
