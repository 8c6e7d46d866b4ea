/**
 * For node: connects again and again to a socket (a path, or `host port`), and each time says something that no protocol here knows. Says `survived` if
 * every connection could still be made.
 */
export const GARBAGE = `
const { randomBytes } = require('node:crypto');
const { connect } = require('node:net');
const [host, port] = process.argv.slice(1);
const preface = Buffer.from('PRI * HTTP/2.0\\r\\n\\r\\nSM\\r\\n\\r\\n');
const frame = (length, type, flags, stream, body) => {
  const head = Buffer.alloc(9);
  head.writeUIntBE(length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, body]);
};
const settings = frame(0, 4, 0, 0, Buffer.alloc(0));
const said = [
  Buffer.alloc(0),
  Buffer.from([0]),
  ...[1, 5, 100, 5000, 100000].map((n) => randomBytes(n)),
  randomBytes(4 << 20),
  Buffer.alloc(4 << 20),
  Buffer.from('GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n'),
  // TLS: a record that is too long, a client hello cut short, one of random bytes, an alert
  Buffer.concat([Buffer.from('160301ffff', 'hex'), randomBytes(65535)]),
  Buffer.from('16030100ff010000fb0303', 'hex'),
  Buffer.concat([Buffer.from('1603010100010000fc0303', 'hex'), randomBytes(250)]),
  Buffer.from('15030300020228', 'hex'),
  // HTTP/2: a frame of 16 MB, headers that do not decompress, data of no stream, settings that are none, a flood of pings and resets
  Buffer.concat([preface, settings, frame(0xffffff, 0, 0, 1, randomBytes(100000))]),
  Buffer.concat([preface, settings, frame(200, 1, 4, 1, randomBytes(200))]),
  Buffer.concat([preface, settings, frame(10, 0, 1, 7, randomBytes(10))]),
  Buffer.concat([preface, frame(7, 4, 0, 0, randomBytes(7))]),
  Buffer.concat([preface, settings, ...Array.from({ length: 5000 }, () => frame(8, 6, 0, 0, randomBytes(8)))]),
  Buffer.concat([preface, settings, ...Array.from({ length: 5000 }, (_, i) => frame(4, 3, 0, 2 * i + 1, randomBytes(4)))]),
  Buffer.concat([preface, ...Array.from({ length: 50 }, (_, i) => frame(i, i, 255, i, randomBytes(i)))]),
];
const say = (bytes) =>
  new Promise((resolve, reject) => {
    const socket = port ? connect(Number(port), host) : connect(host);
    let open = false;
    socket.on('connect', () => {
      open = true;
      socket.write(bytes);
      setTimeout(() => socket.destroy(), 150);
    });
    socket.on('error', (error) => (open ? undefined : reject(error)));
    socket.on('close', resolve);
    socket.resume();
  });
(async () => {
  for (const bytes of said) await say(bytes);
  await Promise.all(said.map(say));
  await say(Buffer.alloc(0));
  console.log('survived');
})();
`;
