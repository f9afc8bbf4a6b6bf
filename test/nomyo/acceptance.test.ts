/** What nomyo-router does and does wrong, each with the tests that show how it is here. */
import { describeAcceptance } from '../acceptance-table.ts';

const fleet = 'test/nomyo/fleet.test.ts';
const recovery = 'test/nomyo/recovery.test.ts';
const access = 'test/nomyo/access.test.ts';
const presets = 'src/config/preset-keys.test.ts';
const fresh = 'test/integration/fresh-models.test.ts';
const cache = 'test/integration/response-cache.test.ts';
const semantic = 'test/integration/semantic-cache.test.ts';
const imports = 'src/config/import/import.test.ts';
const lines = 'src/dialects/ollama/stream.test.ts';
const usageRoutes = 'src/admin/usage-routes.test.ts';

describeAcceptance('what nomyo-router does', {
  Routing: [
    {
      says: 'a model that is loaded at one endpoint goes there',
      tests: [`${fleet}: is asked for there, always`],
    },
    {
      says: 'of two that have it loaded the idle one is next; both idle, it is drawn',
      tests: [
        `${presets}: takes the idle one of two that have the model loaded`,
        `${presets}: draws among equals`,
      ],
    },
    { says: 'limits are per endpoint and model', tests: [`${presets}: limits each model by itself`] },
    {
      says: 'when all are full the least busy one is used and nobody is refused',
      tests: [`${presets}: prefers loaded and free, then free, then the least busy, and lets nobody wait`],
    },
    {
      says: 'requests at the same time see each other',
      tests: [`${presets}: spreads three requests at once over three idle backends`],
    },
    {
      says: 'a bare name means :latest, :latest means the bare name of a service, other tags mean themselves',
      tests: [
        `${fleet}: without a tag is that with :latest at an Ollama`,
        `${fleet}: with :latest is the bare one at a service`,
        `${fleet}: with another tag is no other model, and is refused by its name in the words of the API`,
      ],
    },
    {
      says: 'a model that nobody advertises is an error that names it and the endpoints',
      tests: [
        `${fleet}: with another tag is no other model, and is refused by its name in the words of the API`,
      ],
      otherwise: 'the addresses of the fleet are nothing for its clients; the log has them',
    },
    {
      says: 'priority: limits 4 and 1 are balanced 4 : 1, and the first one gets ties',
      tests: [`${presets}: balances 4 : 1 by share, and gives ties to the first`],
    },
    {
      says: 'an endpoint without a limit of its own has the common one',
      tests: [`${imports}: %s %s gives the expected configuration and notes, and shows no secret`],
    },
    {
      says: 'an endpoint that failed lately is skipped while another one serves; by models where the model failed',
      tests: [
        `${fresh}: is passed over while another one can, and used when it is the only one`,
        `${fresh}: goes to others, other models do not, and comes back when the window is over`,
        `${presets}: avoids a backend whose last check failed unless it is the only one`,
      ],
    },
    {
      says: 'a conversation stays while its model is loaded there and has room, until its time is over since its last use',
      tests: [
        `${presets}: keeps a conversation while the model is loaded there and has room`,
        'src/base/expiring-table.test.ts: expiring table forgets an entry when its time is over, counted from its last use',
        `${fleet}: is not touched by what a model is shown as`,
      ],
    },
    {
      says: 'the fingerprint has the model, the leading system texts and the first text of a user',
      tests: ['src/gateway/nomyo-fingerprint.test.ts: takes %s'],
    },
  ],
  Probes: [
    {
      says: 'many first requests are one look at each endpoint; errors are told fast and heal by themselves',
      tests: [
        `${fresh}: makes many requests wait for the same look at each backend, and is then refused at once`,
        'src/engines/registry.test.ts: is one more round after the running one, however often it is asked for',
        'src/engines/registry.test.ts: is dead at once when refused, and comes back in a new epoch, on probation',
      ],
      otherwise:
        'backends are looked at in the background, so that no request meets a stale or a missing reading',
    },
    {
      says: 'a llama-server that tells no status has its models loaded',
      tests: ['src/engines/kinds/llamacpp.test.ts: takes a model with %s %j as loaded: %s'],
    },
  ],
  Counters: [
    {
      says: 'are zero again after an answer, an error and a client that left, and never less',
      tests: [
        `${fleet}: is nothing again after an answer, an error and a client that left`,
        'src/scheduler/scheduler.test.ts: a permit is released once, however often its end is reported',
      ],
    },
  ],
  Translation: [
    {
      says: 'a call in pieces is one call on the last chunk; arguments that are no JSON are an empty object',
      tests: [
        `${lines}: has tool calls whole, in one line, with ids, indexes and objects`,
        `${lines}: has a call with unfinished arguments as text`,
      ],
      otherwise: 'arguments that are no JSON stay as text, so that nothing of them is lost',
    },
    {
      says: 'thoughts and log probabilities come through',
      tests: [
        `${lines}: is a line per piece and a last line with counts and measured times`,
        `${lines}: has log probabilities beside their text`,
        'test/real/ollama-client.test.ts: gets thoughts apart from the answer, or none',
      ],
    },
    { says: 'no tokens at all are no reason to fail', tests: [`${fleet}: may be answered without a token`] },
    {
      says: 'the timings of a llama-server count as prompt_n + cache_n',
      tests: [`${fleet}: counts by the timings of a llama-server where no usage comes`],
    },
    {
      says: 'vectors have 0.0 for what is no number',
      tests: ['src/dialects/ollama-surface/embed.test.ts: has zeros for what is no number of JSON'],
      otherwise: 'where the answer is translated; /v1/embeddings passes byte by byte',
    },
  ],
  Recovery: [
    {
      says: 'a conversation that is too long is trimmed, then goes without tools; small windows are remembered, large ones and those of embeddings not',
      tests: [
        `${recovery}: is sent again: instructions first, then a user, the last message at its end`,
        `${recovery}: goes without its tools when it is still too long`,
        `${recovery}: is shortened before it is sent once the engine has said how little it holds`,
        `${recovery}: is sent as it is where an engine said that it holds more`,
        `${recovery}: is sent as it is where only vectors were too long`,
      ],
      otherwise:
        'large windows are remembered, too: nothing is shortened before it is sent unless it is certain to be refused',
    },
    {
      says: 'images and tools are left out for a model that takes none',
      tests: [
        `${recovery}: is sent again without images, its text beside them kept`,
        `${recovery}: is sent again without tools`,
      ],
    },
  ],
  Cache: [
    {
      says: 'serves who asks for it, the same system prompt, model and route, no ensemble, no personal answers to all; a hit takes no slot and no tokens; streams and whole answers serve each other',
      tests: [
        `${cache}: looks for nothing without the wish of the request`,
        `${cache}: does not give an answer to a request with another %s`,
        `${cache}: does not give an answer by another route`,
        `${cache}: when an ensemble gave it`,
        `${semantic}: is kept for nobody where everybody would get it`,
        `${cache}: takes no slot and no tokens, and passes while the only slot is taken`,
        `${cache}: is a proper stream of several events from an answer that came whole`,
        `${cache}: is a whole answer from a stream, its usage in it although the stream did not tell`,
      ],
    },
  ],
  Auth: [
    {
      says: 'without a key all is open; a key comes by header or query; pages are open; 401 is not 403; no log has the key',
      tests: [
        'test/integration/auth.test.ts: everything is open without keys',
        'test/integration/auth.test.ts: in %s as "%s" passes, and the log names it %s',
        `${access}: is asked for, but not by the page that watches the fleet`,
        `${access}: is in no line of the log`,
      ],
      otherwise:
        'an address with a key would stand in logs and histories: there is no such query. A wrong key is 401 as clients of these APIs expect. / is a page of an engine, and closed; /monitor is open',
    },
  ],
  Accounting: [
    {
      says: 'sums survive a restart; days are summed by endpoint and model; trimming takes old rows only',
      tests: [
        'test/integration/usage.test.ts: a killed router has lost no count that is older than a second',
        'src/store/usage.test.ts: is beside that of activity, and has everything after a close',
        'src/store/usage.test.ts: by day joins what is kept as minutes, hours and days',
        'src/store/usage.test.ts: forgets what is too old, and only that',
      ],
    },
  ],
  SSE: [
    {
      says: 'a slow reader loses the oldest and holds up nobody; a stop ends the stream',
      tests: [
        `${usageRoutes}: skips what is outdated for a reader that is slow`,
        'test/integration/usage.test.ts: the live feed tells of a request while it runs, of its tokens after, and ends with the router',
      ],
    },
  ],
});

describeAcceptance('what nomyo-router does wrong', {
  fault: [
    {
      says: 'endpoints get the models of others when services stand first',
      tests: [`${fleet}: is found at its own backend, whatever the order of the endpoints`],
    },
    {
      says: 'a native chat loses its last chunk',
      tests: [`${fleet}: streams to its last line, with counts and the reason`],
    },
    {
      says: 'text beside images is lost, images as data URLs are refused',
      tests: [
        `${fleet}: has the text beside an image, and the system prompt of a generate`,
        'src/dialects/ollama/request.test.ts: may come as a data URL or in lines',
      ],
    },
    {
      says: 'a generate loses its system prompt and its images',
      tests: [`${fleet}: has the text beside an image, and the system prompt of a generate`],
    },
    {
      says: '/health is always good, and poisons what is known of endpoints',
      tests: [
        'src/admin/app.test.ts: is 503 when fewer backends are well than it is asked to require',
        `${fleet}: changes nothing: no engine is told to do anything, and nothing is missing afterwards`,
      ],
    },
    {
      says: 'statuses and words of engines are hidden, nobody takes over',
      tests: [
        `${fleet}: is answered with its status and its words when it refuses`,
        'test/integration/failover.test.ts: when %s',
      ],
    },
    {
      says: 'requests of Ollama without `stream` are not streamed',
      tests: [`${fleet}: is a stream unless it says otherwise: %s`],
    },
    {
      says: 'slots leak when something fails early',
      tests: [
        'test/integration/leaving.test.ts: during the prompt ends its request at the engine',
        'src/scheduler/scheduler.test.ts: a cancel that comes too late releases the permit',
      ],
    },
    {
      says: 'finish reasons, tool_choice and many parameters are lost',
      tests: [
        `${fleet}: keeps what it says of tools and what only the service knows, and its answer keeps its reason`,
      ],
    },
    { says: 'a batch of inputs has one vector', tests: [`${fleet}: gives every vector of a batch`] },
    {
      says: 'the cache forgets history and sampling, and cannot store',
      tests: [
        `${cache}: does not give an answer to a request with another %s`,
        `${cache}: keeps its answers over a restart, where they are in a file`,
        'test/real/valkey-cache.test.ts: is shared by routers',
      ],
    },
    {
      says: 'llama-servers with a key are asked without it for what is loaded',
      tests: [`${fleet}: tells what it has loaded`],
    },
    {
      says: 'reading unloads models and trims history',
      tests: [
        `${fleet}: changes nothing: no engine is told to do anything, and nothing is missing afterwards`,
        'src/admin/app.test.ts: changes nothing by reading',
      ],
    },
    {
      says: 'images are fetched from anywhere, names become markup, every origin may do everything',
      tests: [
        `${fleet}: may name an image of another machine, which the router does not fetch`,
        'test/e2e/monitor.test.ts: shows hostile model names as text',
        'test/integration/ollama-surface.test.ts: are not for pages of other sites',
      ],
    },
    {
      says: 'ensembles are shown objects, cannot stream, and are of Ollamas only',
      tests: [
        'test/integration/ensembles.test.ts: asks for three answers, criticises each, and gives one made from all',
        'test/integration/ensembles.test.ts: streams the final answer',
      ],
    },
    {
      says: 'the draw among the idle forgets requests for other models',
      tests: [`${presets}: looks at the load of all models where the model is loaded nowhere`],
    },
    {
      says: 'errors do not have the shape of OpenAI',
      tests: [
        `${fleet}: with another tag is no other model, and is refused by its name in the words of the API`,
        'src/gateway/error-response.test.ts: is of the Messages API on its routes',
      ],
    },
    {
      says: 'the /v1 of an Ollama never has anything loaded',
      tests: [`${imports}: %s %s gives the expected configuration and notes, and shows no secret`],
      otherwise: 'the import makes one backend of both addresses',
    },
    {
      says: 'a reader of the feed that left is noticed late',
      tests: [
        'src/admin/event-feed.test.ts: nothing is listened to when the last reader has left',
        `${usageRoutes}: begins with the state, tells every change, and beats while nothing happens`,
      ],
    },
  ],
});
