/**
 * What ollama-lb does, offers, pins by tests of its own and does wrong, numbered. Each number is named by the title of a
 * test, which for a fault shows that Llamero has it not.
 */
import { describe, expect, test } from 'vitest';
import { numbersInTitles } from '../numbered-titles.ts';

const behaviours = {
  // What it does.
  'OLB-1': 'chooses the healthy server with the lowest 10 × requests + GPU percent',
  'OLB-2':
    'counts a request from its start to its end; an exception is a failure, a status of the server is none',
  'OLB-3': 'asks the sidecar of each server every two seconds and takes over what it tells',
  'OLB-4': 'takes a server out after so many failures in a row',
  'OLB-5':
    'looks at a server that is out after the recovery delay, and takes it back with the first good answer',
  'OLB-6': 'relays the chunks of a stream as they come, and answers that are none whole',
  'OLB-7': 'answers with an error when a server fails',
  'OLB-8': 'goes on without sidecars and warns when all are down (designed there, not built)',
  // Its routes.
  'OLB-9': 'passes any method and path on',
  'OLB-10': 'GET /health',
  'OLB-11': 'GET /servers',
  'OLB-12': 'GET /metrics of the sidecar, in two versions',
  'OLB-13': 'GET /health of the sidecar',
  // What its tests pin.
  'OLB-14': 'a new balancer has three servers',
  'OLB-15': 'metrics of one GPU set load and health',
  'OLB-16': 'metrics of several GPUs fill the list, the count and the totals',
  'OLB-17': 'of (5, 80), (1, 30) and (3, 50) the second is chosen',
  'OLB-18': 'three failures take one of three servers out',
  'OLB-19': 'two requests at 50 percent score 70',
  'OLB-20': 'the least loaded GPU of 80 and 30 percent is the second; 30 of 48 GB used leave 18',
  // What it does wrong.
  'OLB-21': '/health and /servers cannot be reached behind the route that takes everything',
  'OLB-22': 'neither balancer nor sidecar starts as it is stored',
  'OLB-23': "the sidecar's count of loaded models overwrites the balancer's count of requests",
  'OLB-24': 'a sidecar that fails takes a healthy server out, which then flaps',
  'OLB-25': 'streams are told by the path: statuses, types, lengths and methods get lost',
  'OLB-26':
    'models, limits of a server, a queue and keys are unknown; a client that leaves early is counted on',
} as const;

/** What is other here than there, and its tests show, each with the reason. */
const otherwise: Readonly<Record<string, string>> = {
  'OLB-1':
    'equals take turns, as its design has it, in place of the first one; an unknown load counts as the mean of the others or 50, not 0',
  'OLB-3':
    'all are asked side by side, one question for all servers of one machine; a good answer heals nothing',
  'OLB-4': 'a refused connection counts at once, for a request could only fail there',
  'OLB-5':
    'at once where nobody listened and somebody does again; on probation at first: one more failure and it is out',
  'OLB-7':
    'before the first byte the request goes to another server; the error has the shape of the API that was called',
  'OLB-10': 'the status is `ok`, `error` or `draining`, with 503 for the last two, in place of `healthy`',
  'OLB-11':
    'each server has its `backend_id` and `state`, too; also at /api/servers, and both want a key where there are keys',
  'OLB-20': 'the numbers are listed; nothing there or here decides by them',
};

const numbers = Object.keys(behaviours);
const tested = numbersInTitles((group) => group === 'OLB');

describe('of the behaviours of ollama-lb', () => {
  test('each is named by the title of a test', () => {
    expect(numbers.filter((number) => !tested.has(number))).toEqual([]);
  });

  test('no number is unknown', () => {
    const named = [...tested, ...Object.keys(otherwise)];
    expect(named.filter((number) => !numbers.includes(number))).toEqual([]);
  });
});
