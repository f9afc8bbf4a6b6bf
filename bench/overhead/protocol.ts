/** What the programs of the bench agree on: bodies, frames, and the messages between main and its two helpers' processes. */

export const modelName = 'bench';
/** Every streamed frame has this many bytes, so that bytes tell the number of frames. */
export const frameBytes = 212;

/** A chat request body of exactly `bytes`, in the order and with the escapes that clients send. */
export function chatBody(bytes: number, stream?: { chunks: number; intervalMs: number }): Buffer {
  const pacing =
    stream === undefined
      ? ''
      : `"stream":true,"bench_chunks":${stream.chunks},"bench_interval_ms":${stream.intervalMs},`;
  const start = `{"model":"${modelName}",${pacing}"messages":[{"role":"system","content":"You are terse."},{"role":"user","content":"`;
  const end = '"}],"temperature":0.7,"max_tokens":64}';
  const sentence = String.raw`The \"quick\" brown fox jumps over the lazy dog;\nthen it sleeps, at 21\u00b0. `;
  const room = bytes - start.length - end.length;
  if (room < 0) throw new RangeError(`a chat body needs more than ${bytes} bytes`);
  const whole = Math.floor(room / sentence.length);
  return Buffer.from(start + sentence.repeat(whole) + '.'.repeat(room - whole * sentence.length) + end);
}

/** One `data:` event of a chat stream, `frameBytes` long. */
export function streamFrame(): Buffer {
  const before = 'data: {"id":"chatcmpl-';
  const after = `","object":"chat.completion.chunk","created":1795193714,"model":"${modelName}","choices":[{"index":0,"finish_reason":null,"delta":{"content":" token"}}]}\n\n`;
  return Buffer.from(before + 'x'.repeat(frameBytes - before.length - after.length) + after);
}

/** The end of a chat stream: a usage event and the end mark. */
export const streamTail = Buffer.from(
  `data: {"id":"chatcmpl-x","object":"chat.completion.chunk","created":1795193714,"model":"${modelName}","choices":[],"usage":{"prompt_tokens":12,"completion_tokens":64,"total_tokens":76}}\n\ndata: [DONE]\n\n`,
);

/** The answer to a request that does not stream. */
export const plainAnswer = Buffer.from(
  JSON.stringify({
    id: 'chatcmpl-xxxxxxxxxxxxxxxxxxxxxxxx',
    object: 'chat.completion',
    created: 1_795_193_714,
    model: modelName,
    choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'Blue, as ever.' } }],
    usage: { prompt_tokens: 12, completion_tokens: 5, total_tokens: 17 },
  }),
);

/**
 * closed: each connection sends its next request when the last is answered. paced: a fixed rate, whether or not answers
 * come. streams: opens that many paced streams and reads them.
 */
export type Job =
  | {
      readonly kind: 'closed';
      readonly port: number;
      readonly connections: number;
      readonly bodyBytes: number;
    }
  | { readonly kind: 'paced'; readonly port: number; readonly ratePerS: number; readonly bodyBytes: number }
  | {
      readonly kind: 'streams';
      readonly port: number;
      readonly streams: number;
      readonly chunks: number;
      readonly intervalMs: number;
    };

export interface LoadCount {
  readonly answers: number;
  /** Streams that have brought their first frame. */
  readonly opened: number;
  readonly bodyBytes: number;
  readonly errors: number;
  readonly firstError: string | undefined;
  /** Of every answer so far, in microseconds, unsorted; filled by `stop` of a paced job only. */
  readonly latenciesUs: readonly number[];
}

export type LoadCommand =
  | { readonly do: 'start'; readonly job: Job }
  | { readonly do: 'count' }
  | { readonly do: 'stop' };

export interface StubCount {
  readonly openStreams: number;
}
