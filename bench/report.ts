/** One measured quantity: its samples, sorted by nobody. */
export interface Measured {
  readonly what: string;
  readonly unit: string;
  readonly samples: readonly number[];
}

/** The sample below which `share` of the samples lie (nearest rank). */
function quantile(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))] ?? Number.NaN;
}

const digits = (value: number): string => (Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(2));

/** Prints minimum, median, 99th percentile and maximum. */
export function report({ what, unit, samples }: Measured): void {
  const [min, p50, p99, max] = [0, 0.5, 0.99, 1].map((share) => digits(quantile(samples, share)));
  console.log(`${what}: p50 ${p50} ${unit}, p99 ${p99}, min ${min}, max ${max} (n = ${samples.length})`);
}

/** Prints the ratio of pairs that were measured one right after the other, so that the machine's moods cancel out. */
export function reportRatio(what: string, pairs: readonly (readonly [number, number])[]): void {
  const ratios = pairs.map(([measured, baseline]) => measured / baseline);
  console.log(
    `${what}: ratio p50 ${quantile(ratios, 0.5).toFixed(3)}, from ${quantile(ratios, 0).toFixed(3)} to ${quantile(ratios, 1).toFixed(3)} (n = ${ratios.length} pairs)`,
  );
}
