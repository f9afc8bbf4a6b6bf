/** The part of the schema that describes hooks: what is done at the start, and when a model has been loaded or unloaded. */
import { z } from 'zod';
import { describe, duration } from './values.ts';

const command = () =>
  describe(
    'Command, split like `cmd`, without a shell; `${MODEL_ID}`, `${PORT}` and `${PID}` are those of the model.',
    z.string().min(1),
  );

const ownFields = {
  cmd: command(),
  timeout: describe('It is ended after this.', duration({ msMin: 1 }).prefault('30s')),
  env: describe(
    "`NAME=value` items, added to the router's own environment.",
    z.array(z.string()).default([]),
  ),
};

const models = describe(
  'Only for these models, by id or alias. Unset: for all.',
  z.array(z.string()).optional(),
);

const required = describe(
  'The model takes requests only after it has succeeded; if it fails, loading has failed.',
  z.boolean().default(false),
);

const onLoad =
  'Run when a model is ready. A failure is logged, told in `/api/events`, and nothing else, unless `required`.';
const onUnload =
  'Run when the process of a model that was ready is gone, with the reason in `LLAMERO_REASON`. A failure is logged and told in `/api/events`.';

export const hooks = z.strictObject({
  on_startup: describe(
    'At the start, and after each reload.',
    z
      .strictObject({
        preload: describe('Names of local models to load.', z.array(z.string()).default([])),
      })
      .prefault({}),
  ),
  on_load: describe(onLoad, listOf(z.strictObject({ ...ownFields, models, required }))),
  on_unload: describe(onUnload, listOf(z.strictObject({ ...ownFields, models }))),
});

/** Under a model. */
export const modelHooks = z.strictObject({
  on_load: describe(onLoad, listOf(z.strictObject({ ...ownFields, required }))),
  on_unload: describe(onUnload, listOf(z.strictObject(ownFields))),
});

function listOf<Entry extends z.ZodType>(entry: Entry) {
  return z.array(z.union([command(), entry])).default([]);
}
