/** Mistakes that routers of this kind are known for, each with the tests that show that it is not made here. */
import { describeAcceptance } from './acceptance-table.ts';

const fleet = 'test/nomyo/fleet.test.ts';
const failover = 'test/integration/failover.test.ts';
const leaving = 'test/integration/leaving.test.ts';
const cache = 'test/integration/response-cache.test.ts';
const order = 'src/scheduler/order.test.ts';

describeAcceptance('the mistake', {
  trap: [
    {
      says: 'several names of one model are counted apart',
      tests: [
        'src/scheduler/swapping.test.ts: names of one model count as one',
        'src/scheduler/scheduler.test.ts: the grant names the canonical model of the backend',
      ],
    },
    {
      says: 'answers to probes go by position',
      tests: [`${fleet}: is found at its own backend, whatever the order of the endpoints`],
    },
    {
      says: 'a reservation is not released, or twice',
      tests: [
        'src/scheduler/scheduler.test.ts: a permit is released once, however often its end is reported',
        'src/scheduler/histories.test.ts: keeps the laws: one end for each request, permits within slots, nobody placeable waits, nothing left behind',
        `${leaving}: during the prompt ends its request at the engine`,
      ],
    },
    {
      says: 'the head goes out before the engine has answered, in a shape that the client does not know',
      tests: [
        `${failover}: when %s`,
        `${failover}: after status %i, which passes as it is`,
        `${fleet}: is answered with its status and its words when it refuses`,
      ],
    },
    {
      says: 'lists and health share a memory; a sidecar that is away takes its engine with it',
      tests: [
        `${fleet}: tells what it has loaded`,
        'src/engines/registry.test.ts: keeps what it knew when a part of a round fails, but no old slot count',
        'test/ollama-lb/two-hosts.test.ts: OLB-8, OLB-24 whose monitor is dead, or hangs, the load is unknown: both are used, none is down',
      ],
    },
    {
      says: 'the path says whether it is a stream; unknown members get lost',
      tests: [
        `${fleet}: is a stream unless it says otherwise: %s`,
        'test/integration/relay.test.ts: passes a request body byte by byte, odd spacing and big numbers included',
      ],
    },
    {
      says: 'translation loses reasons, texts beside images, instructions, vectors, ids; no last line without usage',
      tests: [
        `${fleet}: keeps what it says of tools and what only the service knows, and its answer keeps its reason`,
        `${fleet}: has the text beside an image, and the system prompt of a generate`,
        `${fleet}: gives every vector of a batch`,
        'src/dialects/ollama/request.test.ts: gives calls without id one, and results the id of the oldest unanswered call of their name',
        'src/dialects/ollama/stream.test.ts: has a last line without counts when the engine counted nothing',
      ],
    },
    {
      says: 'what is loaded is taken for what is running; a reading overwrites own counts',
      tests: ['src/scheduler/ledger.test.ts: foreign use takes slots, own permits are not counted twice'],
    },
    {
      says: 'a draw among those that are not equal',
      tests: [
        'src/config/preset-keys.test.ts: looks at the load of all models where the model is loaded nowhere',
        'src/config/preset-keys.test.ts: draws among equals',
      ],
    },
    {
      says: 'a cache that forgets what else was said',
      tests: [
        `${cache}: does not give an answer to a request with another %s`,
        `${cache}: has the tool calls and thoughts of the answer, whole and streamed`,
        'test/integration/semantic-cache.test.ts: does not give an answer to a request with other %s',
        'test/real/valkey-cache.test.ts: is shared by routers',
      ],
    },
    {
      says: 'reading changes something',
      tests: [
        'src/admin/app.test.ts: changes nothing by reading',
        `${fleet}: changes nothing: no engine is told to do anything, and nothing is missing afterwards`,
      ],
    },
    {
      says: 'addresses of clients are fetched, names become markup, a route hides another, liveness wants a key',
      tests: [
        `${fleet}: may name an image of another machine, which the router does not fetch`,
        'test/e2e/monitor.test.ts: shows hostile model names as text',
        'src/admin/paths.test.ts: %s belongs to the admin API and is open',
      ],
    },
    {
      says: 'a feed begins empty and dies unnoticed',
      tests: [
        'src/admin/usage-routes.test.ts: begins with the state, tells every change, and beats while nothing happens',
      ],
    },
    {
      says: 'tokens are counted by chunk, and not for vectors',
      tests: [
        'test/integration/usage.test.ts: cached tokens and those of reasoning are told apart, and cumulative usage in every chunk counts once',
        'test/integration/usage.test.ts: embeddings and rerank, too: %s',
      ],
    },
    {
      says: 'turns by skipping, and favours without an end',
      tests: [
        `${order}: a low class ages until a stream of better ones cannot keep it waiting`,
        `${order}: nobody is overtaken more often than the limit`,
        'test/integration/queue.test.ts: do not wait for a busy backend',
      ],
    },
  ],
});
