/** The layout of SPIRE's command lines, `2006-01-02 15:04:05 -0700 -07` to Go, and RFC 3339. */
const LAYOUTS = [
  /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) ([+-]\d\d)(\d\d) \3$/,
  /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d(?:\.\d{1,9})?)(?:Z|([+-]\d\d):(\d\d))$/,
];

/** A time as SPIRE's clients write it, in seconds since the Unix epoch; NaN for anything else, a date that does not exist included. */
export function parseSpireTime(text: string): number {
  const match = LAYOUTS.map((layout) => layout.exec(text)).find((found) => found !== null);
  if (!match) return Number.NaN;
  const [, date = '', time = '', hours = '+00', minutes = '00'] = match;
  // Date.parse carries 30 February over into March.
  const midnight = new Date(`${date}T00:00:00Z`);
  if (Number.isNaN(midnight.getTime()) || midnight.toISOString().slice(0, 10) !== date) return Number.NaN;
  return Date.parse(`${date}T${time}${hours}:${minutes}`) / 1000;
}
