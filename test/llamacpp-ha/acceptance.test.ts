/** What llamacpp-ha pins, what follows from it, and what it has not, each with the tests that show how it is here. */
import { describeAcceptance } from '../acceptance-table.ts';

const scheduler = 'src/scheduler/scheduler.test.ts';
const swapping = 'src/scheduler/swapping.test.ts';
const order = 'src/scheduler/order.test.ts';
const presets = 'src/config/preset-keys.test.ts';
const queue = 'test/integration/queue.test.ts';
const leaving = 'test/integration/leaving.test.ts';
const fleet = 'test/integration/fleet.test.ts';
const auth = 'test/integration/auth.test.ts';

describeAcceptance('what llamacpp-ha pins', {
  pinned: [
    {
      says: 'a slot is released before the scheduler hears of it, in a stream and after an error',
      tests: [
        `${scheduler}: a request is granted at once when a slot is free, else when one becomes free`,
        `${scheduler}: a permit is released once, however often its end is reported`,
        'src/scheduler/histories.test.ts: keeps the laws: one end for each request, permits within slots, nobody placeable waits, nothing left behind',
      ],
    },
    {
      says: 'a queue entry has no future of its own making',
      otherwise: 'entries hold no promise: the scheduler tells of grants by calls',
    },
    {
      says: 'statistics are those of one router, never of the program',
      tests: ['test/llamacpp-ha/separate-routers.test.ts: what two routers count stays apart'],
    },
    {
      says: '/monitor is open, everything else wants the key',
      tests: [`${auth}: %s is open`, `${auth}: %s %s is closed`],
      otherwise:
        '/health is open, too, for load balancers. Where keys are set, both tell figures and no names to callers without one',
    },
    {
      says: 'a client that gives up does not break a dispatch that has begun',
      tests: [
        `${scheduler}: a cancel that comes too late releases the permit`,
        `${scheduler}: a cancel wins over a grant that is due at the same time`,
        `${leaving}: while it waits is taken out of the queue, and its request never reaches an engine`,
      ],
    },
    {
      says: 'suites for scheduler, slots, monitor, configuration and the whole program',
      tests: [
        `${presets}: is first in, first out, with hard slots, a place for each conversation and turns for the rest`,
        'src/admin/app.test.ts: speaks the feed of llamacpp-ha and more',
        'src/config/import/import.test.ts: %s %s gives the expected configuration and notes, and shows no secret',
        'test/real/router.test.ts: requests fill the real slots of all servers, and the others wait here, not there',
      ],
    },
  ],
  derived: [
    {
      says: 'a number of slots that changes takes effect',
      tests: [
        "test/integration/fleet.test.ts: an engine's own slots change by a restart: 4, 2, 4",
        'src/engines/registry.test.ts: takes over a new number of slots at once',
      ],
    },
    {
      says: 'two models never overlap where one may run',
      tests: [
        `${swapping}: two models on a backend with room for one never overlap`,
        `${queue}: never has to evict a model that is at work`,
      ],
    },
    {
      says: 'a cap of a model holds over the fleet',
      tests: [
        `${swapping}: a model limit holds over the whole fleet, lingering requests included`,
        `${queue}: a model under modelLimits waits while slots are free for others`,
      ],
    },
    {
      says: 'without a bonus it is first in, first out, exactly',
      tests: [`${order}: fifo without affinity bonus is exact over mixed models`],
    },
    {
      says: 'an old request beats every stream for a warm model',
      tests: [`${order}: an old request beats an endless stream for the loaded model`],
    },
    {
      says: 'a backend is kept for its last model, and is free on time',
      tests: [
        `${swapping}: a backend stays reserved for its last model, and is free on time`,
        `${presets}: keeps a backend three seconds for its last model`,
      ],
    },
    {
      says: 'waiting in vain ends with 503 in JSON',
      tests: [`${queue}: ends after queueTimeout with 503, the reason and Retry-After`],
    },
    {
      says: 'all slots are free again after clients left',
      tests: [
        `${leaving}: in the middle of a stream frees the slot at once`,
        'test/real/router.test.ts: a client that leaves its stream frees the real slot',
      ],
    },
    {
      says: 'another live backend takes over from one that cannot be reached',
      tests: ['test/integration/failover.test.ts: when the engine was killed in the middle of the prompt'],
      otherwise: 'never after the first byte, and not while the engine may be computing',
    },
    {
      says: 'slots of a backend that returns begin free',
      tests: [`${fleet}: a backend that returns from the dead begins with free slots`],
    },
    {
      says: 'unknown paths are tried on every live backend',
      tests: [
        'test/integration/relay.test.ts: an unknown path is tried on every live backend until one knows it',
      ],
    },
  ],
});

describeAcceptance('what llamacpp-ha has not', {
  gap: [
    {
      says: "Ollama's API",
      tests: [
        'test/integration/ollama-surface.test.ts: show every model of the fleet once, with where it is',
      ],
    },
    { says: 'translation', tests: ['test/real/translation.test.ts: answers the Messages API as a stream'] },
    {
      says: 'accounting for tokens, and anything that outlives the program',
      tests: [
        'test/integration/usage.test.ts: a killed router has lost no count that is older than a second',
      ],
    },
    {
      says: 'a cache of answers',
      tests: [
        'test/integration/response-cache.test.ts: gives the answer again to the same request, and asks no engine',
      ],
    },
    {
      says: 'audio that streams well',
      tests: [
        'test/integration/limits.test.ts: multipart uploads are routed by their model and arrive byte by byte',
        'test/integration/relay.test.ts: sends each chunk on before the engine writes the next',
      ],
    },
  ],
});
