/** Builds what the scheduler consists of, bottom to top, and gives each part those it works with. Decides nothing. */
import type { Random } from '../base/random.ts';
import { Keeping } from './keeping.ts';
import { Ageing } from './ageing.ts';
import { Agenda } from './agenda.ts';
import { Answers } from './answers.ts';
import { Claims } from './claims.ts';
import type { Effects } from './effects.ts';
import { FleetNews } from './fleet-news.ts';
import { Fleet } from './fleet.ts';
import { Permits } from './permits.ts';
import { Placement } from './placement.ts';
import { Processes } from './processes.ts';
import { PromptCaches } from './prompt-caches.ts';
import { Queue } from './queue.ts';
import { Requests } from './requests.ts';
import { Reviews } from './reviews.ts';
import { Serving } from './serving.ts';
import { Sessions } from './sessions.ts';
import type { SchedulerSettings } from './settings.ts';
import { Swaps } from './swaps.ts';
import { Timetable } from './timetable.ts';
import { WaitingRoom } from './waiting-room.ts';

export interface SchedulerOptions {
  readonly settings: SchedulerSettings;
  readonly effects: Effects;
  readonly random: Random;
}

export type Parts = ReturnType<typeof assemble>;

/** Throws when the settings name a policy that does not exist. */
export function assemble({ settings, effects, random }: SchedulerOptions) {
  const fleet = new Fleet();
  fleet.configure(settings);
  const agenda = new Agenda();
  const queue = new Queue(settings.ordering);
  const sessions = new Sessions(settings);
  const prompts = new PromptCaches(settings);
  const placement = new Placement({ settings, fleet, sessions, prompts, random });
  const claims = new Claims(placement);
  const timetable = new Timetable({ settings, fleet, claims, effects });
  const books = { settings, fleet, agenda, timetable };
  const permits = new Permits({ ...books, prompts });
  const processes = new Processes({ ...books, effects });
  const swaps = new Swaps({ ...books, processes, keeping: new Keeping(books) });
  const room = new WaitingRoom({ ...books, queue, claims, swaps });
  const answers = new Answers({ effects, queue, permits });
  const waiting = { ...books, queue, claims, swaps, room, ageing: new Ageing() };
  const requests = new Requests({ ...waiting, placement, permits, sessions, answers });
  const reviews = new Reviews({ ...waiting, requests });
  const serving = new Serving({ ...waiting, placement, requests, reviews });
  const news = new FleetNews({ ...waiting, permits, prompts, processes, requests, reviews });
  return {
    fleet,
    agenda,
    queue,
    sessions,
    prompts,
    placement,
    claims,
    timetable,
    permits,
    processes,
    swaps,
    room,
    requests,
    reviews,
    serving,
    news,
  };
}
