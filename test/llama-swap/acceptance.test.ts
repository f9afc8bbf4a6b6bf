/**
 * Every behaviour that llama-swap's own tests pin has a test here that names its number, such as `FIFO-8`. These tables
 * know the numbers, which behaviours Llamero has not, on purpose or not yet, and which are other here, each with the reason.
 */
import { describe, expect, test } from 'vitest';
import { numbersInTitles } from '../numbered-titles.ts';

/** Group of behaviours → how many are numbered, from 1 on. */
const groups = {
  CFG: 20,
  MAC: 18,
  FIL: 6,
  MRG: 7,
  RTG: 3,
  MTX: 7,
  SEL: 2,
  PRF: 1,
  PEER: 3,
  PRC: 14,
  RTR: 9,
  GRP: 1,
  MXR: 1,
  FIFO: 16,
  LOAD: 3,
  PR: 5,
  SRV: 17,
  UTL: 9,
  MET: 7,
  INF: 2,
  ACT: 2,
  STO: 1,
  EVT: 1,
  API: 1,
  LOG: 2,
  WAT: 1,
  PERF: 1,
  HW: 1,
  LIB: 1,
  VLLM: 1,
  UI: 10,
} as const;

const page = 'Llamero has a page of its own; that of llama-swap is not served';

/** Behaviours without a test, each with the reason. */
const without: Readonly<Record<string, string>> = {
  'SRV-17': page,
  'VLLM-1':
    'there is no wrapper program for vLLM: its command is a model like any other, with cmd and cmdStop',
  ...Object.fromEntries(Array.from({ length: groups.UI }, (_none, index) => [`UI-${index + 1}`, page])),
};

/** Behaviours that have a test, and are other here than there in one point. */
const otherwise: Readonly<Record<string, string>> = {
  'PRC-1': 'a request waits for a process that is not ready, in place of a 503',
  'PRC-2': 'a second start of what runs joins it, in place of an error',
  'RTR-9': 'a second signal ends at once, in place of an error',
  'PR-4': 'running requests of a peer get drain.timeout, and a second signal ends at once',
  'FIFO-15': 'a model without a concurrencyLimit has none, in place of 10: a burst waits in the queue',
  'FIFO-16': 'a release without a reservation changes nothing, in place of an error of the program',
  'LOAD-2': 'the load is told without remarks and without typing',
  'LOAD-3': 'in other dialects the load is told by comments, in place of not at all',
  'SRV-14': `/ and /upstream lead to /monitor. ${page}`,
  'SRV-16': 'selectors work below /upstream, too, in place of a 404',
  'UTL-5': 'selectors work below /upstream, too, in place of an error',
  'UTL-6': 'errors have the codes of docs/errors.md and no `src`; 500 is for defects of the router alone',
  'UTL-8': 'a browser is asked for a name and a password, a program for a bearer key',
  'MET-5': 'engines are asked not to compress what is measured, so that nothing has to be decompressed',
  'API-1':
    '/metrics is there without readings of the host, too, which have other names; commit and build date are unknown',
  'HW-1': 'GPUs of Windows are those that nvidia-smi tells of',
  'PERF-1': 'what nobody can tell is null, in place of zero',
  'LIB-1': 'bytes of captures are bounded in the same way; there is no chain of middlewares and no event bus',
};

const numbers = Object.entries(groups).flatMap(([group, count]) =>
  Array.from({ length: count }, (_none, index) => `${group}-${index + 1}`),
);
const tested = numbersInTitles((group) => group in groups);

describe('of the behaviours of llama-swap', () => {
  test('each is named by the title of a test, or by a reason why not', () => {
    expect(numbers.filter((number) => !tested.has(number) && without[number] === undefined)).toEqual([]);
  });

  test('none that is tested has a reason why not, what is other here is tested, and no number is unknown', () => {
    expect(Object.keys(without).filter((number) => tested.has(number))).toEqual([]);
    expect(Object.keys(otherwise).filter((number) => !tested.has(number))).toEqual([]);
    expect(Object.keys(without).filter((number) => !numbers.includes(number))).toEqual([]);
    expect([...tested].filter((number) => !numbers.includes(number))).toEqual([]);
  });
});
