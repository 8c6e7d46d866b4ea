/** Does a piece of work for each item, in their order, one in each turn of the event loop: whatever else there is to do is done in between. */
export function oneInEachTurn<T>(work: (item: T) => void): (item: T) => void {
  const waiting: T[] = [];
  const next = (): void => {
    const [item] = waiting;
    if (item === undefined) return;
    try {
      work(item);
    } finally {
      waiting.shift();
      if (waiting.length > 0) setImmediate(next);
    }
  };
  return (item) => {
    if (waiting.push(item) === 1) setImmediate(next);
  };
}
