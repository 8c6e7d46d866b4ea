import { formatDurationMs } from '#core/time/duration';
import { durationMs } from './duration.ts';

/** Seconds of a duration attribute; 0 if it is not set. */
export function secondsToMessage(value: string | null): number {
  return value === null ? 0 : durationMs(value) / 1000;
}

/** The duration attribute of a number of seconds; null for 0, "not set". */
export function secondsFromMessage(seconds: number): string | null {
  return seconds === 0 ? null : formatDurationMs(seconds * 1000);
}
