/** From the environment of ollama-lb, or the docker-compose file that sets it, to a configuration of Llamero. Pure. */
import { isIP } from 'node:net';
import { Draft } from './draft.ts';
import type { ImportResult } from './draft.ts';
import type { ForeignKey, Setting } from './foreign-key.ts';
import type { ForeignMap, ForeignText } from './foreign-value.ts';
import { readEnvFile, readForeignMap } from './foreign-value.ts';
import { findComposeEnvironment } from './compose-environment.ts';
import { BackendNames, setListen, textOfUrl, usableBackends } from './import-backends.ts';
import { readKeys } from './read-keys.ts';
import { tryDurationText, tryInteger, tryNumber, tryText } from './read-setting.ts';

interface State {
  servers: readonly { readonly from: Setting; readonly url: URL }[] | undefined;
  timeout: { readonly text: string; readonly key: string } | undefined;
}

const serversUsual = 'ollama-1:11435,ollama-2:11436,ollama-3:11437';
/** The port of its container, which its compose file publishes as it is. */
const listen = '0.0.0.0:11434';

export const ollamaLbKeys: readonly ForeignKey<State>[] = [
  {
    name: 'OLLAMA_SERVERS',
    source: 'environment',
    fate: 'carried',
    to: '`backends.<name>.url`, `.gpuMonitor`, `engine: ollama`',
    remark: `One backend for each \`host:port\`, watched by the sidecar that ollama-lb would ask, \`host-monitor\` at the port plus 1000. Not set: ${serversUsual.replaceAll(',', ', ')}.`,
    sample: 'OLLAMA_SERVERS=gpu-a:11434,gpu-b:11434\n',
    carry: (setting, state, draft) => {
      const text = tryText(setting, draft);
      if (text !== undefined) state.servers = parseServers({ ...setting, text }, draft);
    },
  },
  {
    name: 'UNHEALTHY_THRESHOLD',
    source: 'environment',
    fate: 'carried',
    to: '`probes.failures`, `probes.breakerFailures`',
    remark: 'Not set: 3, by the preset.',
    sample: 'UNHEALTHY_THRESHOLD=5\n',
    carry: (setting, _, draft) => {
      const count = tryInteger(setting, draft);
      if (count === undefined) return;
      if (count < 1) return draft.note(setting.key, setting.at, 'must be at least 1', setting.value);
      draft.set(['probes', 'failures'], count, `from ${setting.key}`);
      draft.set(['probes', 'breakerFailures'], count, `from ${setting.key}: failed requests count as well`);
    },
  },
  {
    name: 'RECOVERY_DELAY',
    source: 'environment',
    fate: 'carried',
    to: '`probes.deadInterval`',
    remark: 'Not set: 30 s, by the preset. A server that was only started anew is back at once.',
    sample: 'RECOVERY_DELAY=45\n',
    carry: carrySeconds(['probes', 'deadInterval']),
  },
  {
    name: 'HEALTH_CHECK_INTERVAL',
    source: 'environment',
    fate: 'carried',
    to: '`probes.interval`',
    remark: 'There the pace at which servers that failed are looked at, here at which all are.',
    sample: 'HEALTH_CHECK_INTERVAL=5\n',
    carry: carrySeconds(['probes', 'interval']),
  },
  {
    name: 'REQUEST_TIMEOUT',
    source: 'environment',
    fate: 'carried',
    to: '`backends.<name>.timeouts.firstByte`, `.idle`',
    remark:
      'The longest silence before and in an answer. Not set: no limit, so that no long prompt is cut off.',
    sample: 'REQUEST_TIMEOUT=300\n',
    carry: (setting, state, draft) => {
      const seconds = tryNumber(setting, draft);
      if (seconds === undefined) return;
      const text = tryDurationText(seconds);
      if (text === undefined)
        draft.note(setting.key, setting.at, 'no time that a timeout can have', setting.value);
      else state.timeout = { text, key: setting.key };
    },
  },
  {
    name: 'METRICS_INTERVAL',
    source: 'environment',
    fate: 'carried',
    to: '`probes.gpuInterval`',
    remark: 'At most 5 s.',
    sample: 'METRICS_INTERVAL=2\n',
    carry: carrySeconds(['probes', 'gpuInterval'], 5),
  },
  ...['OLLAMA_HOST', 'OLLAMA_PORT', 'METRICS_PORT', 'POLL_INTERVAL'].map((name): ForeignKey<State> => ({
    name,
    source: 'environment',
    fate: 'dropped',
    to: '',
    remark: 'belongs to the GPU monitor beside each server: run `llamero gpu-monitor` there instead',
    sample: `${name}=${name === 'OLLAMA_HOST' ? 'localhost' : '8080'}\n`,
  })),
];

export interface OllamaLbInput {
  /** An env file or, when its name ends in .yml or .yaml, a docker-compose file. Without it the defaults are imported. */
  readonly main?: ForeignText | undefined;
  /** What `${NAME}` in a compose file stands for; without `main` the environment itself. */
  readonly env?: ForeignText | undefined;
}

/** Never throws. */
export function importOllamaLb({ main, env }: OllamaLbInput): ImportResult {
  const files = [main?.file, env?.file].filter((name) => name !== undefined);
  const draft = new Draft([
    `Made from ${files.length === 0 ? 'the defaults' : files.join(' and ')} of ollama-lb by \`llamero import ollama-lb\`.`,
    'Each comment says where a value comes from.',
  ]);
  const variables = env === undefined ? undefined : readEnvFile(env);
  if (variables?.ok === false) return variables;
  const read = readMain(main, variables?.map, draft);
  if (!read.ok) return read;
  const state: State = { servers: undefined, timeout: undefined };
  setListen(draft, {
    address: listen,
    comment: 'the port that ollama-lb has; it knows no keys',
    isOpen: true,
  });
  draft.comment(
    ['backends'],
    'every server is asked for its models; names of docker-compose services work inside of its network only',
  );
  for (const map of read.maps) readKeys(map, { keys: ollamaLbKeys, state, draft });
  writeBackends(state, draft);
  draft.set(
    ['scheduling', 'preset'],
    'ollama-lb',
    'the lowest 10 × requests + load of the GPUs in percent; other presets are in docs/policies.md',
  );
  return draft.result();
}

function readMain(
  main: ForeignText | undefined,
  variables: ForeignMap | undefined,
  draft: Draft,
): { readonly ok: true; readonly maps: readonly ForeignMap[] } | Extract<ImportResult, { ok: false }> {
  if (main === undefined) return { ok: true, maps: variables === undefined ? [] : [variables] };
  if (/\.ya?ml$/i.test(main.file)) {
    const compose = readForeignMap(main);
    if (!compose.ok) return compose;
    const names = ollamaLbKeys.map(({ name }) => name);
    return { ok: true, maps: findComposeEnvironment(compose.map, { names, variables, draft }) };
  }
  const own = readEnvFile(main);
  if (!own.ok) return own;
  // As with docker-compose: what is named on the command line last wins.
  const entries = new Map([...own.map.entries, ...(variables?.entries ?? [])]);
  return { ok: true, maps: [{ ...own.map, entries }] };
}

function parseServers(
  { text, ...setting }: Setting & { readonly text: string },
  draft: Draft,
): { readonly from: Setting; readonly url: URL }[] {
  const items = text.split(',').map((item) => item.trim());
  return items.flatMap((item, index) => {
    if (item === '') return [];
    const from = { ...setting, key: `${setting.key}[${index}]` };
    const isAddress = /^[^\s/@?#]+:\d{1,5}$/.test(item) && URL.canParse(`http://${item}`);
    if (isAddress) return [{ from, url: new URL(`http://${item}`) }];
    draft.fail(setting.value.at, from.key, 'must be HOST:PORT');
    return [];
  });
}

function writeBackends({ servers, timeout }: State, draft: Draft): void {
  const names = new BackendNames();
  const at = { file: '', line: 0, column: 0 };
  const usual: Setting = { key: 'OLLAMA_SERVERS', at, value: { kind: 'scalar', value: serversUsual, at } };
  const found = servers ?? parseServers({ ...usual, text: serversUsual }, draft);
  for (const { from, url } of usableBackends(found, listen, draft)) {
    const path = ['backends', names.nameFor(url)];
    const comment =
      servers === undefined ? 'one of the servers that ollama-lb has by default' : `from ${from.key}`;
    draft.set([...path, 'url'], textOfUrl(url), comment);
    draft.set([...path, 'engine'], 'ollama');
    const sidecar = trySidecarUrl(url);
    if (sidecar !== undefined) {
      draft.set([...path, 'gpuMonitor'], sidecar, 'its sidecar, or a llamero gpu-monitor in the place of it');
    }
    if (timeout === undefined) continue;
    draft.set([...path, 'timeouts', 'firstByte'], timeout.text, `from ${timeout.key}`);
    draft.set([...path, 'timeouts', 'idle'], timeout.text);
  }
}

/** Where ollama-lb asks for the GPUs of a server. Beside an address without a name nobody can have that name. */
function trySidecarUrl({ hostname, port }: URL): string | undefined {
  if (isIP(hostname.replace(/^\[|\]$/g, '')) !== 0 || hostname === 'localhost') return undefined;
  const sidecarPort = Number(port === '' ? 80 : port) + 1000;
  return sidecarPort > 65_535 ? undefined : `http://${hostname}-monitor:${sidecarPort}`;
}

/** `secondsMax`: default what any duration may be. */
function carrySeconds(path: readonly string[], secondsMax?: number): NonNullable<ForeignKey<State>['carry']> {
  const most = secondsMax === undefined ? '24 days' : `${secondsMax} s`;
  return (setting, _, draft) => {
    const seconds = tryNumber(setting, draft);
    if (seconds === undefined) return;
    const text = seconds > (secondsMax ?? Infinity) ? undefined : tryDurationText(seconds, 0.1);
    if (text === undefined)
      draft.note(setting.key, setting.at, `must be at least 0.1 s and at most ${most}`, setting.value);
    else draft.set(path, text, `from ${setting.key}`);
  };
}
