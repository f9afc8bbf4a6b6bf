/** Numbers as short texts: ages, counts, sizes. */

/** `0.4s`, `12s`, `3m05s`, `2h03m`, `4d07h`. */
export function ageText(seconds: number): string {
  const whole = Math.floor(seconds);
  if (seconds < 10) return `${(Math.floor(seconds * 10) / 10).toFixed(1)}s`;
  if (whole < 60) return `${whole}s`;
  if (whole < 3600) return `${Math.floor(whole / 60)}m${twoDigits(whole % 60)}s`;
  if (whole < 86_400) return `${Math.floor(whole / 3600)}h${twoDigits(Math.floor(whole / 60) % 60)}m`;
  return `${Math.floor(whole / 86_400)}d${twoDigits(Math.floor(whole / 3600) % 24)}h`;
}

/** `812`, `1.2k`, `34k`, `5.6M`. */
export function countText(count: number): string {
  if (count < 1000) return String(Math.round(count));
  if (count < 999_500) return `${shortNumber(count / 1000)}k`;
  return `${shortNumber(count / 1e6)}M`;
}

/** `512 MiB`, `7.5 GiB`. */
export function bytesText(bytes: number): string {
  const mebibytes = bytes / 1024 ** 2;
  return mebibytes < 1000 ? `${Math.round(mebibytes)} MiB` : `${shortNumber(mebibytes / 1024)} GiB`;
}

/** Events per second. */
export function rateText(perSecond: number): string {
  return perSecond < 10 ? perSecond.toFixed(1) : countText(perSecond);
}

function shortNumber(value: number): string {
  return value < 9.95 ? value.toFixed(1) : String(Math.round(value));
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}
