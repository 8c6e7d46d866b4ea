/** A page holds no more than this, whatever is asked for: an answer must fit into a message. */
export const MAX_PAGE_SIZE = 1000;

/**
 * One page of a list: items in the order of their ids, after the one that the token names. `pageSize` 0 or too large = 1000. The token of the
 * last page is empty.
 */
export function pageOf<T>(
  items: readonly T[],
  idOf: (item: T) => string,
  request: { readonly pageSize: number; readonly pageToken: string },
): { readonly items: readonly T[]; readonly nextPageToken: string } {
  const size = request.pageSize > 0 ? Math.min(request.pageSize, MAX_PAGE_SIZE) : MAX_PAGE_SIZE;
  const after = items.filter((item) => idOf(item) > request.pageToken).toSorted((a, b) => (idOf(a) < idOf(b) ? -1 : 1));
  const page = after.slice(0, size);
  const last = page.at(-1);
  return { items: page, nextPageToken: after.length > size && last !== undefined ? idOf(last) : '' };
}
