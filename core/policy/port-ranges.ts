/** Ports from `low` to `high`, both included. */
export interface PortRange {
  readonly low: number;
  readonly high: number;
}

/** The same ports in the fewest ranges, in rising order. */
export function mergeRanges(ranges: readonly PortRange[]): readonly PortRange[] {
  const merged: PortRange[] = [];
  for (const range of [...ranges].sort((a, b) => a.low - b.low)) {
    const last = merged.at(-1);
    if (last !== undefined && range.low <= last.high + 1)
      merged[merged.length - 1] = { low: last.low, high: Math.max(last.high, range.high) };
    else merged.push(range);
  }
  return merged;
}

/** The ports of `from` that are in none of `removed`, in the fewest ranges. */
export function subtractRanges(from: readonly PortRange[], removed: readonly PortRange[]): readonly PortRange[] {
  let rest = mergeRanges(from);
  for (const hole of removed) {
    rest = rest.flatMap((range) => {
      if (hole.high < range.low || hole.low > range.high) return [range];
      const parts: PortRange[] = [];
      if (range.low < hole.low) parts.push({ low: range.low, high: hole.low - 1 });
      if (hole.high < range.high) parts.push({ low: hole.high + 1, high: range.high });
      return parts;
    });
  }
  return rest;
}
