import { writeSync } from 'node:fs';

/** Writes one event to Terraform's log (`TF_LOG`). Fields: IDs and counts; never keys, tokens or whole states. */
export type PluginLog = (
  level: 'debug' | 'info' | 'warn' | 'error',
  event: string,
  fields?: Readonly<Record<string, string | number>>,
) => void;

/** The log that core reads from a plugin's stderr: JSON lines whose timestamps need exactly six digits of fraction. */
export function createPluginLog(module: string): PluginLog {
  return (level, event, fields = {}) => {
    const timestamp = new Date().toISOString().replace('Z', '000Z');
    const line = JSON.stringify({ '@level': level, '@message': event, '@module': module, '@timestamp': timestamp, ...fields });
    try {
      writeSync(2, `${line}\n`);
    } catch {
      // core is gone; nobody reads
    }
  };
}
