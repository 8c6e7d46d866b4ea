import { SymbolonError } from '#core/errors/error';

/** A page holds no more than this, whatever is asked for: an answer must fit into a message. */
export const MAX_PAGE_SIZE = 1000;

/** What the pages of a list are cut by. */
export interface PageKey<T> {
  readonly of: (item: T) => string;
  /** Could the text be such a key, of an item that is there or has gone? */
  readonly isKey: (text: string) => boolean;
}

/**
 * One page of a list: items in the order of their keys, after the one that the token names. `pageSize` 0 or too large = 1000. The token of the
 * last page is empty. Throws REQUEST_INVALID for a token that is none.
 */
export function pageOf<T>(
  items: readonly T[],
  key: PageKey<T>,
  request: { readonly pageSize: number; readonly pageToken: string },
): { readonly items: readonly T[]; readonly nextPageToken: string } {
  const { pageToken } = request;
  if (pageToken !== '' && !key.isKey(pageToken)) {
    throw new SymbolonError(
      'REQUEST_INVALID',
      `${JSON.stringify(pageToken.slice(0, 100))} is no page token; take that of the page before`,
      {
        field: 'page_token',
        value: pageToken,
      },
    );
  }
  const size = request.pageSize > 0 ? Math.min(request.pageSize, MAX_PAGE_SIZE) : MAX_PAGE_SIZE;
  const after = items.filter((item) => key.of(item) > pageToken).toSorted((a, b) => (key.of(a) < key.of(b) ? -1 : 1));
  const page = after.slice(0, size);
  const last = page.at(-1);
  return { items: page, nextPageToken: after.length > size && last !== undefined ? key.of(last) : '' };
}
