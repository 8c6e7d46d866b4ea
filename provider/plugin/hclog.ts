import { writeSync } from 'node:fs';

/** Writes one event to Terraform's log (`TF_LOG`). Fields: IDs and counts; never keys, tokens or whole states. */
export type PluginLog = (
  level: 'debug' | 'info' | 'warn' | 'error',
  event: string,
  fields?: Readonly<Record<string, string | number>>,
) => void;

/**
 * The log that core reads from a plugin's stderr: JSON lines whose timestamps need exactly six digits of fraction. Without `detailed` only warnings
 * and errors are written: core reads and drops every line that its own log does not want, and thousands of them are felt.
 */
export function createPluginLog(module: string, detailed: boolean): PluginLog {
  return (level, event, fields = {}) => {
    if (!detailed && (level === 'debug' || level === 'info')) return;
    const timestamp = new Date().toISOString().replace('Z', '000Z');
    const line = JSON.stringify({ '@level': level, '@message': event, '@module': module, '@timestamp': timestamp, ...fields });
    try {
      writeSync(2, `${line}\n`);
    } catch {
      // core is gone; nobody reads
    }
  };
}
