/**
 * For python3: opens TCP connections to an address and port for so many seconds: one in four says nothing, the others go through a TLS handshake. Says
 * how many were tried, and how many handshakes were completed.
 */
export const HANDSHAKE_FLOOD = `
import itertools, socket, ssl, sys, threading, time
host, port, end = sys.argv[1], int(sys.argv[2]), time.monotonic() + float(sys.argv[3])
tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
tls.check_hostname = False
tls.verify_mode = ssl.CERT_NONE
tls.set_alpn_protocols(['symbolon-pair/1'])
tried, completed = [], []
def flood(first):
    silent = []
    for i in itertools.count(first):
        if time.monotonic() > end: break
        tried.append(1)
        try:
            s = socket.create_connection((host, port), 1)
            if i % 4 > 0:
                with tls.wrap_socket(s): completed.append(1)
            else:
                silent.append(s)
                if len(silent) > 125: silent.pop(0).close()
        except OSError:
            pass
        time.sleep(0.01)
threads = [threading.Thread(target=flood, args=(i,)) for i in range(8)]
for t in threads: t.start()
for t in threads: t.join()
print(len(tried), len(completed))
`;

/**
 * For node: opens so many TCP connections to a port of 127.0.0.1, from the addresses given in turn, sends the same bytes on all of them at once, waits until all
 * are closed, and begins again, until its input ends. Says how often, and how many connections were answered by a TLS handshake.
 */
export const BURST_FLOOD = `
const [port, hello, connections, ...addresses] = process.argv.slice(1);
const bytes = Buffer.from(hello, 'base64');
let bursts = 0, answered = 0;
async function burst() {
  const closed = [], opened = [];
  for (let i = 0; i < Number(connections); i++) {
    const socket = require('node:net').connect({ port: Number(port), host: '127.0.0.1', localAddress: addresses[i % addresses.length] });
    socket.on('error', () => undefined).once('data', (data) => {
      if (data[0] === 0x16) answered++;
      socket.destroy();
    });
    closed.push(new Promise((resolve) => socket.on('close', resolve)));
    opened.push(new Promise((resolve) => socket.on('connect', () => resolve(socket)).on('close', () => resolve(undefined))));
  }
  for (const socket of await Promise.all(opened)) socket?.write(bytes);
  await Promise.all(closed);
  bursts++;
  setTimeout(() => void burst(), 300);
}
void burst();
process.stdin.resume().on('end', () => console.log(bursts, answered) ?? process.exit());
`;

/** For node: sends datagrams until its input ends, to addresses of a prefix where nobody lives, each to another port. Says how many. */
export const UNKNOWN_FLOOD = `
const [prefix] = process.argv.slice(1);
const socket = require('node:dgram').createSocket(prefix.includes(':') ? 'udp6' : 'udp4');
let sent = 0;
socket.on('error', () => undefined);
const timer = setInterval(() => {
  for (let i = 0; i < 100; i++, sent++) socket.send('x', 1024 + (sent * 7919) % 60000, prefix + (100 + (sent % 100)), () => undefined);
}, 5);
process.stdin.resume().on('end', () => {
  clearInterval(timer);
  socket.close();
  console.log(sent);
});
`;
