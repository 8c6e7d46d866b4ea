/**
 * For python3: opens TCP connections to an address and port for so many seconds: some say nothing, most go through a TLS handshake. Says how many
 * were tried, and how many handshakes were completed. */
export const HANDSHAKE_FLOOD = `
import socket, ssl, sys, threading, time
host, port, end = sys.argv[1], int(sys.argv[2]), time.monotonic() + float(sys.argv[3])
tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
tls.check_hostname = False
tls.verify_mode = ssl.CERT_NONE
tls.set_alpn_protocols(['symbolon-pair/1'])
tried, completed = [], []
def flood(speaks):
    silent = []
    while time.monotonic() < end:
        tried.append(1)
        try:
            s = socket.create_connection((host, port), 1)
            if speaks:
                with tls.wrap_socket(s): completed.append(1)
            else:
                silent.append(s)
                if len(silent) > 500: silent.pop(0).close()
        except OSError:
            pass
        time.sleep(0.01)
threads = [threading.Thread(target=flood, args=(i % 4 > 0,)) for i in range(8)]
for t in threads: t.start()
for t in threads: t.join()
print(len(tried), len(completed))
`;

/** For node: sends datagrams for so many seconds to addresses of a prefix where nobody lives, each to another port. Says how many. */
export const UNKNOWN_FLOOD = `
const [prefix, seconds] = process.argv.slice(1);
const socket = require('node:dgram').createSocket(prefix.includes(':') ? 'udp6' : 'udp4');
const end = Date.now() + seconds * 1000;
let sent = 0;
socket.on('error', () => undefined);
const timer = setInterval(() => {
  for (let i = 0; i < 100; i++, sent++) socket.send('x', 1024 + (sent * 7919) % 60000, prefix + (100 + (sent % 100)), () => undefined);
  if (Date.now() < end) return;
  clearInterval(timer);
  socket.close();
  console.log(sent);
}, 5);
`;
