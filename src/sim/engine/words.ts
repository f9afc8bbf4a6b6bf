/** The simulation's whole vocabulary. Sentences are article, adjective, noun, verb, article, noun, and a tail. */

export const nouns =
  'river,lantern,harbour,meadow,signal,orchard,engine,bridge,garden,letter,mountain,window,market,caravan,valley,compass,workshop,library,shepherd,blanket'.split(
    ',',
  );

export const adjectives =
  'quiet,patient,bright,narrow,distant,steady,curious,gentle,ancient,hollow,silver,careful,warm,northern'.split(
    ',',
  );

export const verbs =
  'follows,carries,answers,crosses,measures,remembers,gathers,watches,guides,repairs,finds,shelters'.split(
    ',',
  );

export const tails =
  'before the evening comes,while the others rest,without any hurry,as it did last year,under a clear sky,and nobody minds,because the road is long,until the work is done'.split(
    ',',
  );

/** For the `mixed` text: characters of three and four bytes. */
export const wideWords = ['河流', '灯笼', '山谷', '桥梁', '🦙', '🌄', '🧭', '花园', '信号', '🚂'] as const;
