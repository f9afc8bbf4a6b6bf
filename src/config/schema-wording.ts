/** The part of the schema that says how requests are put to one engine: the same keys for backends, models and peers. */
import { z } from 'zod';
import { translatableRoutes } from '../domain/routes.ts';
import { repairs as repairsSchema } from './schema-repairs.ts';
import { describe } from './values.ts';

export const wordingShape = {
  cancelNonStreaming: describe(
    'llama.cpp goes on generating when the client of a non-streaming request leaves. Such requests are therefore asked for as a stream and put together again, so that leaving frees the slot at once. `false`: they are passed on as they are.',
    z.boolean().default(true),
  ),
  streamUsage: describe(
    'Engines that tell the token counts of a stream only when they are asked are asked on behalf of clients that do not ask, and such clients do not see the answer. `false`: for services that refuse `stream_options`; their streams are then counted by their events.',
    z.boolean().default(true),
  ),
  translate: describe(
    'Routes that are translated to another one of the engine although it has them itself, because its own answer there is not what clients expect. Unset: for llama.cpp `[responses]`, whose own knows no custom tools, no `previous_response_id` and no numbered events; for others none.',
    z.array(z.enum(translatableRoutes)).optional(),
  ),
  repairs: describe(
    'What is changed in requests that the engine cannot take and in answers that break the rules. Each repair is told in the header `x-llamero-repaired`, in the log and in `llamero_repairs_total`.',
    repairsSchema.prefault({}),
  ),
};

const wording = z.object(wordingShape);

/** How requests are put to an engine. */
export type Wording = Readonly<z.infer<typeof wording>>;

/** Only the keys of the wording, of an entry that has others too. */
export function wordingOf({ cancelNonStreaming, streamUsage, translate, repairs }: Wording): Wording {
  return { cancelNonStreaming, streamUsage, repairs, ...(translate !== undefined && { translate }) };
}
