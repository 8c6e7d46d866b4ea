import { describeError, isSymbolonError } from '#core/errors/error';
import { formatPath, type Path } from './path.ts';

/** What a person is told about a configuration or an operation. */
export interface Diagnostic {
  readonly severity: 'error' | 'warning';
  readonly summary: string;
  readonly detail: string;
  readonly path?: Path;
}

/** Collects diagnostics of one request. */
export interface Report {
  /** True once an error was reported. */
  hasErrors(): boolean;
  error(summary: string, detail: string, path?: Path): void;
  warning(summary: string, detail: string, path?: Path): void;
}

/** A report with what it has collected. */
export function createReport(): Report & { readonly diagnostics: readonly Diagnostic[] } {
  const diagnostics: Diagnostic[] = [];
  const add = (severity: Diagnostic['severity']) => (summary: string, detail: string, path?: Path) => {
    diagnostics.push({ severity, summary, detail, ...(path ? { path } : {}) });
  };
  return { diagnostics, error: add('error'), warning: add('warning'), hasErrors: () => diagnostics.some((d) => d.severity === 'error') };
}

/**
 * The diagnostic of an attribute's bad value. The path is in the text, too: Terraform shows a path inside a nested attribute only as the line of
 * the resource.
 */
export function invalidValue(path: Path, error: unknown): Diagnostic {
  const where = formatPath(path);
  return {
    severity: 'error',
    summary: `Invalid ${where.length <= 60 ? where : 'value'}`,
    detail: `${where}: ${describeError(error)}.`,
    path,
  };
}

/** The diagnostic of whatever an operation threw. `doing` begins the summary: `Cannot create symbolon_node`. */
export function failedOperation(doing: string, error: unknown): Diagnostic {
  if (isSymbolonError(error)) return { severity: 'error', summary: doing, detail: `${describeError(error)}.` };
  const text = describeError(error);
  return { severity: 'error', summary: doing, detail: `Unexpected failure inside the provider; please report it: ${text}.` };
}
