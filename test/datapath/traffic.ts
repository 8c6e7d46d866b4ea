// A workload's program: `traffic serve`, `traffic tcp|udp HOST PORT [N]`, `traffic stay HOST PORT`, `traffic ask HOST PORT`, `traffic flood`. Bundled by bed.ts.
import dgram from 'node:dgram';
import net from 'node:net';

const [mode = '', host = '', portText = '0', countText = '1'] = process.argv.slice(2);
const port = Number(portText);
const started = performance.now();

function report(seen: string): void {
  console.log(JSON.stringify({ seen, ms: Math.round(performance.now() - started) }));
}

/** Echoes TCP on 8443 and 9090, UDP on 5353 (and says in which order datagrams came). */
function serve(): void {
  for (const p of [8443, 9090]) net.createServer((socket) => socket.on('error', () => undefined).pipe(socket)).listen(p, '::');
  const udp = dgram.createSocket({ type: 'udp6', ipv6Only: false });
  udp.on('message', (message, from) => udp.send(message, from.port, from.address));
  udp.bind(5353, '::', () => console.log('serving'));
}

function tcp(): void {
  const socket = net.connect({ host, port, timeout: 4000 });
  socket.on('connect', () => socket.write('hello'));
  socket.on('data', (data) => {
    report(`echo ${data.toString()}`);
    socket.destroy();
  });
  socket.on('timeout', () => {
    report('timeout');
    socket.destroy();
  });
  socket.on('error', (error: NodeJS.ErrnoException) => report(error.code ?? error.message));
}

/** Sends COUNT datagrams at once; reports the order of the answers. */
function udp(): void {
  const count = Number(countText);
  const got: string[] = [];
  const socket = dgram.createSocket(host.includes(':') ? 'udp6' : 'udp4');
  const finish = (seen: string): void => {
    report(seen);
    socket.close();
    process.exit(0);
  };
  socket.connect(port, host, () => {
    for (let i = 0; i < count; i++) socket.send(String(i), () => undefined);
  });
  socket.on('message', (message) => {
    got.push(message.toString());
    if (got.length === count) finish(`echo ${got.join(' ')}`);
  });
  socket.on('error', (error: NodeJS.ErrnoException) => finish(error.code ?? error.message));
  setTimeout(() => finish(`timeout ${got.join(' ')}`), 4000);
}

/** One connection that says `tick` ten times a second and reports each answer, and how it ended. */
function stay(): void {
  const socket = net.connect({ host, port });
  socket.on('connect', () => setInterval(() => socket.write('tick'), 100));
  socket.on('data', () => report('tick'));
  socket.on('error', (error: NodeJS.ErrnoException) => {
    report(error.code ?? error.message);
    process.exit(0);
  });
}

/** One connection that says nothing until a line comes on standard input; then it asks, and reports the answer or how the connection ended. */
function ask(): void {
  const socket = net.connect({ host, port }, () => report('connected'));
  process.stdin.on('data', () => socket.write('asked'));
  socket.on('data', () => report('answered'));
  socket.on('error', (error: NodeJS.ErrnoException) => {
    report(error.code ?? error.message);
    process.exit(0);
  });
}

/** Datagrams to ever new ports of ever new addresses of 10.2.0.0/24, as fast as they go. */
function flood(): void {
  const socket = dgram.createSocket('udp4');
  socket.on('error', () => undefined);
  let sent = 0;
  const some = (): void => {
    for (let i = 0; i < 100; i++, sent++) socket.send('flood', 1 + (sent % 60_000), `10.2.0.${3 + (sent % 250)}`, () => undefined);
    if (sent === 5000) console.log('flooding');
    setImmediate(some);
  };
  some();
}

const modes: Readonly<Record<string, () => void>> = { serve, tcp, udp, stay, ask, flood };
modes[mode]?.();
