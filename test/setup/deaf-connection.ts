import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Lab } from '#lab/lab';

/**
 * For python3: a TCP connection whose socket never sees a reset: a filter of its own drops segments with RST before TCP looks at them. Each line of
 * its input is a number of seconds and a text, which is sent; it says whether that came back within the time, and then in which state the socket is
 * (1 = established). Filters need root: it becomes the workload's user as soon as it has one.
 */
const DEAF = `
import ctypes, os, select, socket, struct, sys
namespace, uid, host, port = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
if ctypes.CDLL(None, use_errno=True).setns(os.open(namespace, os.O_RDONLY), 0x40000000): raise OSError(ctypes.get_errno(), 'setns')
s = socket.socket(socket.AF_INET6 if ':' in host else socket.AF_INET, socket.SOCK_STREAM)
# ldb [13]; jset #4, drop, keep
code = [(0x30, 0, 0, 13), (0x45, 0, 1, 4), (0x06, 0, 0, 0), (0x06, 0, 0, 0xffffffff)]
program = ctypes.create_string_buffer(b''.join(struct.pack('HBBI', *line) for line in code))
s.setsockopt(socket.SOL_SOCKET, 26, struct.pack('HL', len(code), ctypes.addressof(program)))
os.setgroups([])
os.setgid(uid)
os.setuid(uid)
s.settimeout(10)
s.connect((host, port))
s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
print('open', s.getsockname()[1], flush=True)
for line in sys.stdin:
    said, (seconds, text) = 'silence', line.split(' ', 1)
    try:
        s.sendall(text.encode())
        if select.select([s], [], [], float(seconds))[0]:
            said = 'answered' if s.recv(65536) else 'closed'
    except OSError as error:
        said = error.strerror
    print(said, s.getsockopt(socket.IPPROTO_TCP, 11, 1)[0], flush=True)
`;

export interface DeafOutcome {
  readonly said: string;
  /** The socket still takes part: it sends what it has again and again. */
  readonly established: boolean;
}

/** A connection that survives every reset: if the gate let its segments pass again, it would go on. */
export class DeafConnection {
  private constructor(
    private readonly child: ChildProcessWithoutNullStreams,
    private readonly lines: AsyncIterator<string>,
    readonly localPort: number,
  ) {}

  static async open(lab: Lab, from: string, address: string, port: number): Promise<DeafConnection> {
    const { node, workload } = lab.workload(from);
    const what = [`/run/netns/${from}`, String(workload.uid), address, String(port)];
    const [file = '', ...args] = lab.commandFor({ place: node.name }, ['python3', '-c', DEAF, ...what]);
    const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] }) as unknown as ChildProcessWithoutNullStreams;
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const [said, localPort] = String((await lines.next()).value).split(' ');
    if (said !== 'open') throw new Error(`the deaf connection of ${from} was not made: ${said}`);
    return new DeafConnection(child, lines, Number(localPort));
  }

  /** Sends a line and waits for its echo. */
  async exchange(text: string, patienceSeconds: number): Promise<DeafOutcome> {
    this.child.stdin.write(`${patienceSeconds} ${text}\n`);
    const [, said = '', state] = /^(.*) (\d+)$/.exec(String((await this.lines.next()).value)) ?? [];
    return { said, established: state === '1' };
  }

  close(): void {
    this.child.stdin.end();
  }
}
