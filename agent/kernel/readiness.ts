import koffi from 'koffi';

/** A watch on a file descriptor; `close` ends it and must come before the descriptor is closed. */
export interface Watch {
  close(): void;
}

/** A handle that nobody holds is collected, and its watch with it; one that is open when the process ends would abort it. */
const live = new Set<ReturnType<typeof koffi.node.poll>>();
let closesAtExit = false;

function closeAll(): void {
  for (const handle of live) handle.close();
  live.clear();
}

/**
 * Calls `ready` from the event loop whenever the descriptor can be read: again and again until it is drained. Needs no thread: the descriptor
 * joins Node's own epoll set. Does not keep the process alive.
 */
export function watchReadable(fd: number, ready: () => void): Watch {
  const handle = koffi.node.poll(fd, { readable: true }, ready);
  handle.unref();
  live.add(handle);
  if (!closesAtExit) process.once('exit', closeAll);
  closesAtExit = true;
  return {
    close: () => {
      if (live.delete(handle)) handle.close();
    },
  };
}
