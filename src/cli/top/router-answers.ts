/**
 * What `llamero top` reads of a router's answers. Takes less than the contract promises, so that a router of another
 * version can be watched too; every text in it is harmless for a terminal from here on.
 */
import { z } from 'zod';
import { plainText } from './text-width.ts';

const text = z.string().transform(plainText);
const number = z.number();
const bytes = number.nullable();
const memory = z.object({ vram_bytes: bytes, ram_bytes: bytes });

const backend = z.object({
  id: text,
  url: text,
  engine: text,
  state: text,
  reason: text.nullable(),
  slots: z.object({ total: number, own: number, lingering: number, foreign: number }),
  models: z.array(text),
  loaded: z.array(text),
  in_flight_by_model: z.record(text, number),
  gpu: z.object({ load_percent: number.nullable() }).nullable().default(null),
  memory: z.object({ need: memory }).nullable(),
  process: z.object({ pid: number.nullable(), ttl_seconds: number }).nullable().default(null),
  probe: z.object({ error: text.nullable() }),
  traffic: z.object({ output_tokens_per_second: number }),
});

const request = z.object({
  request_id: text,
  phase: text,
  model_id: text.nullable(),
  requested_model: text.nullable(),
  backend_id: text.nullable(),
  flow: text,
  route: text,
  age_seconds: number,
  position: number.nullable(),
  estimated_tokens: number,
  input_tokens: number.nullable(),
  output_tokens: number.nullable(),
});

/** Of `/api/status`. */
export const statusAnswer = z.object({
  version: text,
  uptime_seconds: number,
  demo: z.boolean(),
  draining: z.boolean(),
  queue: z.object({ depth: number }),
  sessions: number,
  traffic: z.object({ requests_per_minute: number, output_tokens_per_second: number }),
  backends: z.array(backend),
});

/** Of `/api/requests`. */
export const requestsAnswer = z.object({ queued: z.array(request), running: z.array(request) });

export type BackendReading = z.infer<typeof backend>;
export type RequestReading = z.infer<typeof request>;

/** A router at one moment. */
export interface Reading {
  readonly status: z.infer<typeof statusAnswer>;
  /** Waiting requests in their order, then running ones, oldest first. */
  readonly requests: readonly RequestReading[];
}
