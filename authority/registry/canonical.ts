/** A set as text: sorted, each member once, so that equal sets are equal lists. */
export function canonicalSet(values: readonly string[]): readonly string[] {
  return [...new Set(values)].toSorted();
}

/** An object of plain text values as one text, members in the order of their names. */
export function canonicalJson(value: object): string {
  return JSON.stringify(value, (_key, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
}
