/**
 * A histogram that is cheap to add to: the library's validates the labels and looks for the series by their text with each
 * value. Owns the counts; how they are written on the page is the library's.
 */

export interface BucketHistogramOptions {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
  /** Upper bounds, growing. */
  readonly buckets: readonly number[];
}

type Labels = Readonly<Record<string, string>>;

/** One number of the page, in the library's words. */
interface ShownValue {
  readonly metricName: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/** In the library's words, which its registry asks for. */
interface ShownHistogram {
  readonly name: string;
  readonly help: string;
  readonly type: 'histogram';
  readonly aggregator: 'sum';
  readonly values: readonly ShownValue[];
}

export class BucketHistogram {
  readonly name: string;
  readonly #help: string;
  readonly #labelNames: readonly string[];
  readonly #bounds: readonly number[];
  readonly #series = new Map<string, Series>();

  constructor({ name, help, labelNames, buckets }: BucketHistogramOptions) {
    this.name = name;
    this.#help = help;
    this.#labelNames = labelNames;
    this.#bounds = buckets;
  }

  /** The series with these labels; the same one each time. It is shown from its first value on. */
  labels(labels: Labels): Series {
    const key = JSON.stringify(this.#labelNames.map((name) => labels[name]));
    const known = this.#series.get(key);
    if (known !== undefined) return known;
    const series = new Series(labels, this.#bounds);
    this.#series.set(key, series);
    return series;
  }

  get(): ShownHistogram {
    const { name } = this;
    const values = [...this.#series.values()].flatMap((series) => series.show(name));
    return { name, help: this.#help, type: 'histogram', aggregator: 'sum', values };
  }
}

class Series {
  readonly #labels: Labels;
  readonly #bounds: readonly number[];
  /** By the first bound that is not below the value. */
  readonly #counts: number[];
  #sum = 0;
  #count = 0;

  constructor(labels: Labels, bounds: readonly number[]) {
    this.#labels = labels;
    this.#bounds = bounds;
    this.#counts = bounds.map(() => 0);
  }

  observe(value: number): void {
    this.#sum += value;
    this.#count += 1;
    const at = this.#bounds.findIndex((bound) => value <= bound);
    if (at !== -1) this.#counts[at] = (this.#counts[at] ?? 0) + 1;
  }

  show(name: string): ShownValue[] {
    if (this.#count === 0) return [];
    const labels = this.#labels;
    let upTo = 0;
    const buckets = this.#bounds.map((le, at) => {
      upTo += this.#counts[at] ?? 0;
      return { metricName: `${name}_bucket`, labels: { le, ...labels }, value: upTo };
    });
    return [
      ...buckets,
      { metricName: `${name}_bucket`, labels: { le: '+Inf', ...labels }, value: this.#count },
      { metricName: `${name}_sum`, labels, value: this.#sum },
      { metricName: `${name}_count`, labels, value: this.#count },
    ];
  }
}
