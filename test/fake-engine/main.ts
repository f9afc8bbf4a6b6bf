/**
 * A fake engine as a program: `node test/fake-engine/main.ts --port 0 --slots 4 --model tiny`. Prints its address, then
 * that of its control API. `--options JSON` takes everything that `createFakeEngine` does.
 */
import { parseArgs } from 'node:util';

import { createFakeEngine, type FakeEngineOptions } from './fake-engine.ts';

const { values } = parseArgs({
  options: {
    port: { type: 'string' },
    slots: { type: 'string' },
    model: { type: 'string', default: 'tiny' },
    context: { type: 'string', default: '4096' },
    'tokens-per-s': { type: 'string', default: '200' },
    'prompt-tokens-per-s': { type: 'string', default: '50000' },
    'load-ms': { type: 'string', default: '0' },
    'api-key': { type: 'string' },
    text: { type: 'string' },
    seed: { type: 'string' },
    options: { type: 'string', default: '{}' },
  },
});

const flags: FakeEngineOptions = {
  models: [
    {
      id: values.model,
      contextTokens: Number(values.context),
      tokensPerS: Number(values['tokens-per-s']),
      promptTokensPerS: Number(values['prompt-tokens-per-s']),
      loadMs: Number(values['load-ms']),
    },
  ],
  ...(values.port !== undefined && { port: Number(values.port) }),
  ...(values.slots !== undefined && { slots: Number(values.slots) }),
  ...(values['api-key'] !== undefined && { apiKey: values['api-key'] }),
  ...(values.text !== undefined && { text: values.text === 'mixed' ? 'mixed' : 'english' }),
  ...(values.seed !== undefined && { seed: Number(values.seed) }),
};
const engine = await createFakeEngine({ ...flags, ...(JSON.parse(values.options) as FakeEngineOptions) });
console.log(`listening on ${engine.url}\ncontrol on ${engine.controlUrl}`);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void engine.close());
