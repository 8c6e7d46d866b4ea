import koffi from 'koffi';

/** A watch on a file descriptor; `close` ends it and must come before the descriptor is closed. */
export interface Watch {
  close(): void;
}

// A handle that nobody holds is collected, and its watch with it.
const live = new Set<object>();

/**
 * Calls `ready` from the event loop whenever the descriptor can be read: again and again until it is drained. Needs no thread: the descriptor
 * joins Node's own epoll set. Keeps the process alive unless `keepAlive` is false.
 */
export function watchReadable(fd: number, ready: () => void, keepAlive = false): Watch {
  const handle = koffi.node.poll(fd, { readable: true }, ready);
  if (!keepAlive) handle.unref();
  live.add(handle);
  return {
    close: () => {
      if (live.delete(handle)) handle.close();
    },
  };
}
