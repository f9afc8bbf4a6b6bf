/**
 * The part of the schema that says which models may be loaded together and what names beyond their own they answer to.
 * Keys, defaults and meaning are llama-swap's. What needs more than one key is checked in check-models.ts.
 */
import { z } from 'zod';
import { describe, size } from './values.ts';

const group = z.strictObject({
  swap: describe('Members replace each other; `false`: all may run at once.', z.boolean().default(true)),
  exclusive: describe('Loading a member stops the members of the other groups.', z.boolean().default(true)),
  persistent: describe('Other groups never stop its members.', z.boolean().default(false)),
  members: describe('Ids of models.', z.array(z.string()).default([])),
});

export const groups = z.record(z.string().min(1), group);

export const matrix = z.strictObject({
  vars: describe(
    'Short names for model ids, for use in `sets`: letters, digits, dots and dashes, up to 32. One that equals a model id hides it.',
    z.record(z.string(), z.string()).default({}),
  ),
  evict_costs: describe(
    'What stopping a model costs, by var or model id; 1 where nothing is said.',
    z.record(z.string(), z.int()).default({}),
  ),
  sets: describe(
    'Which models may run together, by a name of your choice: `&` together, `|` either, `( )`, `+name` another set. Any part of a set may run as well.',
    z.record(z.string(), z.string()).default({}),
  ),
});

const memory = z.strictObject({
  vram: describe(
    'GPU memory of this machine that models may take together, over all its GPUs. Unset: not limited.',
    size().optional(),
  ),
  ram: describe(
    'Main memory of this machine that models may take together. Unset: not limited.',
    size().optional(),
  ),
});

export const routing = z.strictObject({
  router: describe(
    'Which models may run together.',
    z
      .strictObject({
        use: describe(
          '`group`, `matrix` or `memory`: any models together that fit into memory; the idle ones that are least likely to be wanted soon make room.',
          z.enum(['group', 'matrix', 'memory']).default('group'),
        ),
        settings: describe(
          'Settings by router; only those of the one in use count.',
          z
            .strictObject({
              groups: describe('Groups of models.', groups.optional()),
              matrix: describe('Sets of models that may run together.', matrix.optional()),
              memory: describe('Memory for models, `vram` or `ram` or both.', memory.optional()),
            })
            .prefault({}),
        ),
      })
      .optional(),
  ),
  scheduler: describe(
    'Order among waiting requests.',
    z
      .strictObject({
        use: describe('Only `fifo`.', z.enum(['fifo']).default('fifo')),
        settings: describe(
          'Settings of the scheduler.',
          z
            .strictObject({
              fifo: describe(
                'Settings of `fifo`.',
                z
                  .strictObject({
                    priority: describe(
                      'Priority by model; higher goes first, 0 where nothing is said.',
                      z.record(z.string(), z.int()).default({}),
                    ),
                  })
                  .prefault({}),
              ),
            })
            .prefault({}),
        ),
      })
      .prefault({}),
  ),
});

export const profile = z.strictObject({
  description: describe('Display text.', z.string().default('')),
  pins: describe(
    'By requested name: the name it stands for while the profile is active; empty = the name gets 404. A pin never leads to another pin.',
    z.record(z.string(), z.string().nullable()).default({}),
  ),
});

export const selector = z.strictObject({
  strategy: describe(
    '`pin`: the first target. `warm`: a ready target, else one that is starting, else the first; local ones only. `spillover`: the first target with room, in order.',
    z.enum(['pin', 'warm', 'spillover']),
  ),
  targets: describe(
    'Names of models, in order of preference; no selectors.',
    z.array(z.string()).default([]),
  ),
  settings: describe(
    'Settings by strategy.',
    z
      .strictObject({
        spillover: describe(
          'Requests in flight at a target from which on the next target is preferred.',
          z.int().default(1),
        ),
      })
      .prefault({}),
  ),
  name: describe('Display name.', z.string().default('')),
  description: describe('Display text.', z.string().default('')),
  unlisted: describe('Not shown in `/v1/models`; requests for it work.', z.boolean().default(false)),
  metadata: describe(
    'Copied to `/v1/models` as `meta.llamaswap`.',
    z.record(z.string(), z.unknown()).default({}),
  ),
});
