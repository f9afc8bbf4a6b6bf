/** One request of a simulated user: sends it, reads the answer to its end, and says how it went. Never throws. */
import http from 'node:http';

const answerCharactersMax = 100_000;

export interface UserRequest {
  readonly url: URL;
  readonly agent: http.Agent;
  readonly body: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

export interface UserAnswer {
  /** left: aborted by the user or by `timeoutMs`. */
  readonly result: 'completed' | 'failed' | 'left';
  /** Text of a streamed chat; empty for everything else. */
  readonly text: string;
}

export interface SentRequest {
  readonly answer: Promise<UserAnswer>;
  /** The user leaves. */
  abort(): void;
}

export function sendUserRequest({ url, agent, body, headers, timeoutMs }: UserRequest): SentRequest {
  let left = false;
  const text = JSON.stringify(body);
  const request = http.request(url, {
    method: 'POST',
    agent,
    headers: {
      ...headers,
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(text)),
    },
  });
  function abort(): void {
    left = true;
    request.destroy();
  }
  const answer = new Promise<UserAnswer>((resolve) => {
    const reader = createDeltaReader();
    const broken = () => resolve({ result: left ? 'left' : 'failed', text: reader.text });
    request.on('response', (response) => {
      const good = response.statusCode === 200;
      const streams = response.headers['content-type']?.startsWith('text/event-stream') === true;
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        if (streams) reader.take(chunk);
      });
      response.on('end', () => {
        const complete = good && (!streams || reader.done);
        resolve({ result: complete ? 'completed' : 'failed', text: reader.text });
      });
      response.on('error', broken);
    });
    request.on('error', broken);
    request.on('close', broken);
  });
  request.setTimeout(timeoutMs, abort);
  request.end(text);
  return { answer, abort };
}

/** Collects the content of chat deltas; `done` once the end mark came. */
function createDeltaReader(): { take(chunk: string): void; readonly text: string; readonly done: boolean } {
  let rest = '';
  let text = '';
  let done = false;
  return {
    take(chunk) {
      const frames = (rest + chunk).split('\n\n');
      rest = (frames.pop() ?? '').slice(-answerCharactersMax);
      for (const frame of frames) {
        if (frame === 'data: [DONE]') done = true;
        else if (text.length < answerCharactersMax) text += deltaContent(frame);
      }
    },
    get text() {
      return text;
    },
    get done() {
      return done;
    },
  };
}

function deltaContent(frame: string): string {
  if (!frame.startsWith('data: {')) return '';
  try {
    const parsed = JSON.parse(frame.slice('data: '.length)) as {
      choices?: { delta?: { content?: string | null } }[];
    };
    return parsed.choices?.[0]?.delta?.content ?? '';
  } catch {
    return '';
  }
}
