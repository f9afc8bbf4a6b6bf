/** The part of the schema that says which repairs are made for an engine. All are off: each changes what somebody said. */
import { z } from 'zod';
import { describe } from './values.ts';

/** Every repair of a request that an engine refused comes at most once, so that they end. */
export const repairs = z.strictObject({
  trimContext: describe(
    "A conversation that is longer than the context is sent again without its oldest turns; system prompt and last message stay, a tool call and its results go together. How much has to go is reckoned from the engine's own counts. A model whose context is known is spared the attempt when it is certain to fail.",
    z.boolean().default(false),
  ),
  dropTools: describe(
    'A request whose tools the engine or the model does not support is sent again without them; earlier calls and results become text. Also for a conversation that is too long although nothing more can be trimmed.',
    z.boolean().default(false),
  ),
  dropImages: describe(
    'A request whose images the model cannot see is sent again with `[image left out]` in place of each.',
    z.boolean().default(false),
  ),
  toolCalls: describe(
    'Tool calls of chat completions that break the rules of the API (no index or the same twice, no id, arguments that are no text, a wrong finish reason) are put right. Answers that are translated always are; others pass through unread unless this is set.',
    z.boolean().default(false),
  ),
  thinkTags: describe(
    'Thoughts that stand in the text of an answer (`<think>…</think>` and the like) go where the API has them: `reasoning_content`, `thinking` blocks and so on.',
    z.boolean().default(false),
  ),
  volatilePrefix: describe(
    "Lines at the beginning of a conversation that change with every request (clocks, billing marks, token budgets) are moved behind it and tools are put in order, so that the engine's prompt cache stays good.",
    z.boolean().default(false),
  ),
});

/** Which repairs are made. */
export type Repairs = Readonly<z.infer<typeof repairs>>;

export const repairsShape = {
  repairs: describe(
    'Repairs of all backends, models and peers; the `repairs` of one of them says more, and wins. `preset: nomyo` means `trimContext`, `dropTools` and `dropImages`.',
    repairs.prefault({}),
  ),
};
