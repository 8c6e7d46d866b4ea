/** One DER element. Contents of up to 65535 bytes. */
export function der(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(contents);
  const { length } = body;
  const header = length < 0x80 ? [tag, length] : length < 0x100 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(header), body]);
}

/** The elements of a DER element's contents, each whole. */
export function children(element: Uint8Array): readonly Buffer[] {
  const bytes = Buffer.from(element);
  const sizeAt = (at: number): { readonly body: number; readonly end: number } => {
    const first = bytes[at + 1] ?? 0;
    const octets = first < 0x80 ? 0 : first & 0x7f;
    const body = at + 2 + octets;
    return { body, end: body + (octets === 0 ? first : bytes.readUIntBE(at + 2, octets)) };
  };
  const list: Buffer[] = [];
  const { body, end } = sizeAt(0);
  for (let at = body; at < end; at = sizeAt(at).end) list.push(bytes.subarray(at, sizeAt(at).end));
  return list;
}
