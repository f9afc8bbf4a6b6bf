import { expect, test } from 'vitest';
import { createFakeFleet } from '../../../test/fake-admin-deps.ts';
import { model } from '../../../test/resolved-models.ts';
import { noModels } from '../../config/models.ts';
import { monitorSchema } from '../contract.ts';
import type { ModelControl } from '../deps.ts';
import { createMonitorFeed } from './feed.ts';

test('the monitor names models that can be started with their state, and none that is unlisted', () => {
  const { deps } = createFakeFleet();
  const configured = [model('shown'), model('hidden', { unlisted: true })];
  const models: ModelControl = {
    ...deps.models,
    config: () => ({ ...noModels, models: new Map(configured.map((one) => [one.id, one])) }),
    stateOf: () => 'failed',
  };
  const feed = monitorSchema.parse(JSON.parse(createMonitorFeed({ ...deps, models }).whole()));
  expect(feed.models).toMatchObject([{ model_id: 'shown', state: 'failed', loaded_on: [] }]);
});
