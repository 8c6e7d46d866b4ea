/** Strings and the marks of structure; all else of a JSON text (numbers, literals, space) does not matter here. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]:]/gs;

/**
 * The first key that an object of a JSON text has twice, or undefined. The text must be valid JSON. Parsers keep one of the two values
 * without a word, and not all keep the same.
 */
export function findDuplicateKey(json: string): string | undefined {
  const objects: (Set<string> | undefined)[] = [];
  let last = '""';
  for (const [token] of json.matchAll(TOKEN)) {
    if (token === '{') objects.push(new Set());
    else if (token === '[') objects.push(undefined);
    else if (token === '}' || token === ']') objects.pop();
    else if (token !== ':') last = token;
    else {
      // Escapes are undone: "a" and "\u0061" are the same key.
      const key = JSON.parse(last) as string;
      const keys = objects.at(-1);
      if (keys?.has(key)) return key;
      keys?.add(key);
    }
  }
  return undefined;
}
