import pino from 'pino';

/** Structured log: fields first, then the event in words. IDs, serials, verdicts; never keys, tokens or whole objects. */
export interface Logger {
  debug(fields: object, event: string): void;
  info(fields: object, event: string): void;
  warn(fields: object, event: string): void;
  error(fields: object, event: string): void;
  /** A logger whose every line carries `component`. */
  scoped(component: string): Logger;
}

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

function wrap(inner: pino.Logger): Logger {
  return {
    debug: (fields, event) => inner.debug(fields, event),
    info: (fields, event) => inner.info(fields, event),
    warn: (fields, event) => inner.warn(fields, event),
    error: (fields, event) => inner.error(fields, event),
    scoped: (component) => wrap(inner.child({ component })),
  };
}

/** One JSON object per line on stderr. An `error` field may hold an Error: its type, message and stack are written. */
export function createLogger(options: { readonly name: string; readonly level: LogLevel }): Logger {
  return wrap(
    pino(
      {
        name: options.name,
        level: options.level,
        timestamp: pino.stdTimeFunctions.isoTime,
        formatters: { level: (label) => ({ level: label }) },
        serializers: { error: pino.stdSerializers.err },
      },
      pino.destination({ fd: 2, sync: true }),
    ),
  );
}

/** Writes nothing: for tests and for commands that speak for themselves. */
export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  scoped: () => silentLogger,
};
