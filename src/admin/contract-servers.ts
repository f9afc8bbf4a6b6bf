/** What the list of servers answers: ollama-lb's own, member by member, so that its readers work. */
import { z } from 'zod';
import { backendStates } from '../domain/backend-view.ts';

const amount = z.number().min(0);

export const serversSchema = z.strictObject({
  servers: z.array(
    z.strictObject({
      host: z.string(),
      port: z.int().min(1).max(65_535),
      /** Those of this router. */
      active_requests: z.int().min(0),
      /** Here and below: what nobody tells is 0, and an empty list. */
      gpus: z.array(
        z.strictObject({
          index: z.int().min(0),
          name: z.string(),
          utilization: amount,
          memory_used_gb: amount,
          memory_total_gb: amount,
          temperature: z.number(),
        }),
      ),
      gpu_count: z.int().min(0),
      gpu_utilization: amount,
      gpu_memory_used_gb: amount,
      gpu_memory_total_gb: amount,
      gpu_temperature: z.number(),
      /** It takes requests, or will when one needs it. */
      is_healthy: z.boolean(),
      /** 10 × requests + load of its GPUs in percent, an unknown load counted as 50. */
      score: amount,
      /** This and the next are Llamero's. */
      backend_id: z.string(),
      state: z.enum(backendStates),
    }),
  ),
});

export type ServersBody = z.infer<typeof serversSchema>;
