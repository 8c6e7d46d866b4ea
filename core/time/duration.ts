const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;

/** Parses Go-style durations as Terraform users write them: `"90s"`, `"1h30m"`, `"250ms"`. Returns undefined for anything else. */
export function parseDurationMs(text: string): number | undefined {
  const part = /(\d{1,9})(ms|s|m|h)/y;
  let total = 0;
  let at = 0;
  while (at < text.length) {
    part.lastIndex = at;
    const match = part.exec(text);
    if (!match) return undefined;
    total += Number(match[1]) * UNIT_MS[match[2] as keyof typeof UNIT_MS];
    at = part.lastIndex;
  }
  return text.length === 0 ? undefined : total;
}

/** The shortest Go-style text of a duration in milliseconds, the inverse of parseDurationMs: 5400000 → `"1h30m"`. */
export function formatDurationMs(ms: number): string {
  let rest = Math.round(ms);
  if (rest === 0) return '0s';
  let out = '';
  for (const unit of ['h', 'm', 's', 'ms'] as const) {
    const count = Math.floor(rest / UNIT_MS[unit]);
    if (count > 0) out += `${count}${unit}`;
    rest -= count * UNIT_MS[unit];
  }
  return out;
}
