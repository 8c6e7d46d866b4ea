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
