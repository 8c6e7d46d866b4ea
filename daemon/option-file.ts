import { readFileSync } from 'node:fs';
import { describeError, isSymbolonError, SymbolonError } from '#core/errors/error';

/**
 * Reads the file that an option of the command line names. Whatever is wrong with it is said under the option's name and the file's: throws CONFIG_INVALID.
 * `parse` must not show a key.
 */
export function readOptionFile<T>(option: string, path: string, parse: (text: string) => T): T {
  if (isPem(path)) {
    const why = `${option} holds the text of a file, which is not shown; name the file`;
    throw new SymbolonError('CONFIG_INVALID', why, { path: option, value: '' });
  }
  const fail = (why: string, cause?: unknown): never => {
    throw new SymbolonError('CONFIG_INVALID', `${option} ${JSON.stringify(path)} ${why}`, { path: option, value: path }, cause);
  };
  const text = readText(path, fail);
  try {
    return parse(text);
  } catch (error) {
    if (!isSymbolonError(error)) throw error;
    return fail(`cannot be used: ${describeError(error)}`);
  }
}

/** Given in the place of a path by mistake: it may be a key, and the system's own error would show it as well. */
function isPem(path: string): boolean {
  return path.includes('-----BEGIN');
}

function readText(path: string, fail: (why: string, cause: unknown) => never): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    return fail('cannot be read; name a file that exists', error);
  }
}
