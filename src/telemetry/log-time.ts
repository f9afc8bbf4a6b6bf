/** Times in the log, in the forms that llama-swap's `logTimeFormat` knows: those of Go's time package, in local time. */

const days = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

const formats: Readonly<Record<string, (time: Parts) => string>> = {
  ansic: (t) => `${t.day3} ${t.month} ${t.date2} ${t.clock} ${t.year}`,
  unixdate: (t) => `${t.day3} ${t.month} ${t.date2} ${t.clock} ${t.zone} ${t.year}`,
  rubydate: (t) => `${t.day3} ${t.month} ${t.date} ${t.clock} ${t.offset} ${t.year}`,
  rfc822: (t) => `${t.date} ${t.month} ${t.year2} ${t.minutes} ${t.zone}`,
  rfc822z: (t) => `${t.date} ${t.month} ${t.year2} ${t.minutes} ${t.offset}`,
  rfc850: (t) => `${t.day}, ${t.date}-${t.month}-${t.year2} ${t.clock} ${t.zone}`,
  rfc1123: (t) => `${t.day3}, ${t.date} ${t.month} ${t.year} ${t.clock} ${t.zone}`,
  rfc1123z: (t) => `${t.day3}, ${t.date} ${t.month} ${t.year} ${t.clock} ${t.offset}`,
  rfc3339: (t) => `${t.isoDate}T${t.clock}${t.isoOffset}`,
  rfc3339nano: (t) => `${t.isoDate}T${t.clock}${t.fraction}${t.isoOffset}`,
  kitchen: (t) => t.kitchen,
  stamp: (t) => `${t.month} ${t.date2} ${t.clock}`,
  stampmilli: (t) => `${t.month} ${t.date2} ${t.clock}.${t.ms}`,
  stampmicro: (t) => `${t.month} ${t.date2} ${t.clock}.${t.ms}000`,
  stampnano: (t) => `${t.month} ${t.date2} ${t.clock}.${t.ms}000000`,
};

/** `2026-05-07T13:02:12.345Z`. Only its last digits change within a second, and lines come many in one. */
export function createIsoTime(): (epochMs: number) => string {
  let second = Number.NaN;
  let beginning = '';
  return (epochMs) => {
    const ms = epochMs % 1000;
    if (epochMs - ms !== second) {
      second = epochMs - ms;
      beginning = new Date(second).toISOString().slice(0, -'000Z'.length);
    }
    return `${beginning}${ms < 10 ? '00' : ms < 100 ? '0' : ''}${ms}Z`;
  };
}

/** undefined = the format is none of those that are known (in any case of letters). */
export function tryFormatLogTime(format: string, time: Date): string | undefined {
  const name = format.toLowerCase();
  return Object.hasOwn(formats, name) ? formats[name]?.(partsOf(time)) : undefined;
}

type Parts = ReturnType<typeof partsOf>;

function partsOf(time: Date) {
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = days[time.getDay()] ?? '';
  const year = String(time.getFullYear());
  const minutes = `${two(time.getHours())}:${two(time.getMinutes())}`;
  const ms = String(time.getMilliseconds()).padStart(3, '0');
  const fraction = ms.replace(/0+$/, '');
  const aheadMinutes = -time.getTimezoneOffset();
  const sign = aheadMinutes < 0 ? '-' : '+';
  const hoursAhead = two(Math.floor(Math.abs(aheadMinutes) / 60));
  const minutesAhead = two(Math.abs(aheadMinutes) % 60);
  return {
    day,
    day3: day.slice(0, 3),
    date: two(time.getDate()),
    date2: String(time.getDate()).padStart(2, ' '),
    month: months[time.getMonth()] ?? '',
    year,
    year2: year.slice(-2),
    isoDate: `${year}-${two(time.getMonth() + 1)}-${two(time.getDate())}`,
    minutes,
    clock: `${minutes}:${two(time.getSeconds())}`,
    kitchen: `${time.getHours() % 12 || 12}:${two(time.getMinutes())}${time.getHours() < 12 ? 'AM' : 'PM'}`,
    ms,
    fraction: fraction === '' ? '' : `.${fraction}`,
    offset: `${sign}${hoursAhead}${minutesAhead}`,
    isoOffset: aheadMinutes === 0 ? 'Z' : `${sign}${hoursAhead}:${minutesAhead}`,
    get zone(): string {
      const parts = zoneName.formatToParts(time);
      return parts.find(({ type }) => type === 'timeZoneName')?.value ?? '';
    },
  };
}

const zoneName = new Intl.DateTimeFormat('en-US', { timeZoneName: 'short' });
