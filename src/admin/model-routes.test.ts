import { expect, test } from 'vitest';
import { createFakeFleet } from '../../test/fake-admin-deps.ts';
import { model } from '../../test/resolved-models.ts';
import { noModels } from '../config/models.ts';
import { createAdminApp } from './app.ts';
import { errorSchema } from './contract.ts';
import type { ModelControl } from './deps.ts';

test.each([
  ['GET', '/unload'],
  ['POST', '/api/models/unload'],
  ['POST', '/api/models/unload/b'],
])('%s %s names what outlives its unload', async (method, path) => {
  const { deps } = createFakeFleet();
  const models: ModelControl = {
    ...deps.models,
    config: () => ({ ...noModels, models: new Map(['a', 'b'].map((id) => [id, model(id)])) }),
    find: (name) => name,
    stateOf: (id) => (id === 'b' ? 'stopping' : 'stopped'),
    unload: (id) => Promise.resolve(id !== 'b'),
  };
  const response = await createAdminApp({ ...deps, models }).request(path, { method });
  const { error } = errorSchema.parse(await response.json());
  expect([response.status, error]).toMatchObject([
    504,
    { code: 'unload_timeout', message: "Not stopped in time: 'b' is stopping" },
  ]);
});
