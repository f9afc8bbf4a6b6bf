/**
 * What `llamero models` reads of a router's answers. Takes less than the router promises, so that one of another version
 * can be asked too. Texts are as they came: whoever shows one makes it harmless first.
 */
import { z } from 'zod';

const text = z.string();
const count = z.number().min(0);

/** Of `/v1/models`. What an engine says of its model beside that stays in. */
export const modelList = z.object({
  data: z.array(
    z.looseObject({
      id: text,
      aliases: z.array(text).default([]),
      status: z.object({ value: text }),
      llamero: z.object({ backends: z.array(text) }),
    }),
  ),
});

/** Of `/api/tags`; a size of 0 means that nobody knows it. */
export const tagList = z.object({ models: z.array(z.object({ name: text, size: count })) });

/** Of `/api/ps_details`: one for each backend that has a model in memory. */
export const runningList = z.object({
  models: z.array(
    z.object({
      name: text,
      endpoint: text,
      size: count.default(0),
      size_vram: count.default(0),
      context_length: count.optional(),
      expires_at: text,
    }),
  ),
});

/** Of a verb that Ollamas do. */
export const changePlan = z.object({
  plan: text,
  model: text,
  backends: z.array(
    z.object({
      backend: text,
      would: text,
      reason: text.optional(),
      digest: text.optional(),
      bytes: count.optional(),
      loaded: z.boolean().optional(),
    }),
  ),
});

export const loadPlan = z.object({
  plan: z.literal('load'),
  model_id: text,
  would: text,
  reason: text.optional(),
  need: z.object({ vram_bytes: count.nullable(), ram_bytes: count.nullable() }),
  evicts: z.array(z.object({ model_id: text, busy: z.boolean() })),
  awaits: z.array(text),
});

export const unloadPlan = z.object({
  plan: z.literal('unload'),
  models: z.array(z.object({ model_id: text, state: text.nullable(), would: text, requests: count })),
});

/** A line of a pull, push or create. */
export const progressLine = z.looseObject({
  status: text.optional(),
  error: text.optional(),
  digest: text.optional(),
  total: count.optional(),
  completed: count.optional(),
  backends: z.array(text).optional(),
});

export type ModelEntry = z.infer<typeof modelList>['data'][number];
export type RunningEntry = z.infer<typeof runningList>['models'][number];
export type ChangePlan = z.infer<typeof changePlan>;
export type LoadPlan = z.infer<typeof loadPlan>;
export type UnloadPlan = z.infer<typeof unloadPlan>;
export type ProgressLine = z.infer<typeof progressLine>;
