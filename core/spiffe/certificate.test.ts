import { sign } from 'node:crypto';
import { beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isSymbolonError } from '#core/errors/error';
import { addMs } from '#core/time/instant';
import { parseCertificate } from './certificate.ts';
import { TEST_NOW, TestCa } from './testing/ca.ts';
import { children, der } from './testing/der-writer.ts';
import { createSvidVerifier, verifyX509Svid } from './verify.ts';

let ca: TestCa;
let leaf: Uint8Array;
beforeAll(async () => {
  ca = await TestCa.create();
  leaf = (await ca.issueWorkload('/web', 'east-1', { dnsNames: ['web.internal'] })).chain[0] ?? new Uint8Array();
});

/** The leaf with its signed part changed, signed anew by the CA: only the parser can refuse it. */
function resigned(change: (fields: Buffer[]) => readonly Uint8Array[]): Uint8Array {
  const [tbs = Buffer.alloc(0), algorithm = Buffer.alloc(0)] = children(leaf);
  const changed = der(0x30, ...change([...children(tbs)]));
  return der(0x30, changed, algorithm, der(0x03, Buffer.of(0), sign('sha256', changed, ca.privateKey)));
}

/** The place of each field in TBSCertificate. */
const FIELD = { version: 0, serial: 1, algorithm: 2, validity: 4, subject: 5, publicKey: 6, extensions: 7 } as const;
function withField(index: number, value: Uint8Array): (fields: Buffer[]) => readonly Uint8Array[] {
  return (fields) => fields.map((field, i) => (i === index ? value : field));
}
const withExtension =
  (oid: string, value: Uint8Array, critical = false) =>
  (fields: Buffer[]): readonly Uint8Array[] => {
    const [list = Buffer.alloc(0)] = children(fields[FIELD.extensions] ?? Buffer.alloc(0));
    const marked = critical ? [Buffer.from('0101ff', 'hex')] : [];
    const extension = der(0x30, Buffer.from(oid, 'hex'), ...marked, der(0x04, value));
    const kept = children(list).filter((e) => !children(e)[0]?.equals(Buffer.from(oid, 'hex')));
    return withField(FIELD.extensions, der(0xa3, der(0x30, ...kept, extension)))(fields);
  };
const BASIC_CONSTRAINTS = '0603551d13';
const SUBJECT_ALT_NAME = '0603551d11';
const EXTENDED_KEY_USAGE = '0603551d25';
const NAME_CONSTRAINTS = '0603551d1e';
const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
const uri = (text: string): Buffer => der(0x86, Buffer.from(text, 'latin1'));

test('what is signed anew without a change is accepted', () => {
  expect(verifyX509Svid([resigned((fields) => fields)], ca.bundles, TEST_NOW).id).toBe('spiffe://east.example/web');
});

describe('X1 names of other kinds beside the URI are accepted', () => {
  const otherName = der(0xa0, hex('06032a0304'), der(0xa0, hex('0c0141')));
  const directoryName = der(0xa4, der(0x30, der(0x31, der(0x30, hex('0603550403'), hex('0c0161')))));
  test.each<[string, Buffer]>([
    ['otherName', otherName],
    ['rfc822Name', der(0x81, Buffer.from('web@east.example'))],
    ['dNSName', der(0x82, Buffer.from('web.east.example'))],
    ['directoryName', directoryName],
    ['iPAddress, IPv4', der(0x87, Buffer.of(10, 1, 0, 2))],
    ['iPAddress, IPv6', der(0x87, Buffer.alloc(16, 1))],
    ['registeredID', der(0x88, hex('2a0304'))],
  ])('%s', (_, name) => {
    for (const names of [
      [name, uri('spiffe://east.example/web')],
      [uri('spiffe://east.example/web'), name],
    ]) {
      const changed = resigned(withExtension(SUBJECT_ALT_NAME, der(0x30, ...names)));
      expect(verifyX509Svid([changed], ca.bundles, TEST_NOW).id).toBe('spiffe://east.example/web');
    }
  });
});

describe('ID5 what the signature covers', () => {
  /** The leaf with a field of another certificate of the same CA, under its old signature. */
  const withFieldOf = (other: Uint8Array, index: number): Uint8Array => {
    const [tbs = Buffer.alloc(0), algorithm = Buffer.alloc(0), signature = Buffer.alloc(0)] = children(leaf);
    const taken = children(children(other)[0] ?? Buffer.alloc(0))[index] ?? Buffer.alloc(0);
    return der(0x30, der(0x30, ...children(tbs).map((field, i) => (i === index ? taken : field))), algorithm, signature);
  };
  test.each([
    ['the ID', FIELD.extensions],
    ['the public key', FIELD.publicKey],
    ['the validity', FIELD.validity],
  ])('%s of another SVID of the same CA is refused', async (_, index) => {
    const notAfter = addMs(TEST_NOW, 1000);
    const other = (await ca.issueWorkload('/batch', 'east-1', { notAfter })).chain[0] ?? new Uint8Array();
    expect(() => verifyX509Svid([withFieldOf(other, index)], ca.bundles, TEST_NOW)).toThrow(
      expect.objectContaining({ code: 'SVID_UNTRUSTED' }),
    );
    expect(verifyX509Svid([withFieldOf(leaf, index)], ca.bundles, TEST_NOW).id).toBe('spiffe://east.example/web');
  });
});

describe('refused although its CA signed it', () => {
  test.each<readonly [string, (fields: Buffer[]) => readonly Uint8Array[]]>([
    ['version 1', (fields) => fields.slice(1)],
    ['version 2', withField(FIELD.version, hex('a003 020101'))],
    ['a negative serial number', withField(FIELD.serial, hex('0201ff'))],
    ['an algorithm inside that differs from the one outside', withField(FIELD.algorithm, hex('300a06082a8648ce3d040303'))],
    [
      'a validity with three times',
      (fields) =>
        withField(
          FIELD.validity,
          der(0x30, ...children(fields[FIELD.validity] ?? Buffer.alloc(0)), hex('170d3439303130323033303430355a')),
        )(fields),
    ],
    ['a field after the extensions', (fields) => [...fields, hex('a400')]],
    ['extensions twice', (fields) => [...fields, fields[FIELD.extensions] ?? Buffer.alloc(0)]],
    [
      'something after the list of extensions',
      (fields) => withField(FIELD.extensions, der(0xa3, ...children(fields[FIELD.extensions] ?? Buffer.alloc(0)), hex('0500')))(fields),
    ],
    ['cA false that is written', withExtension(BASIC_CONSTRAINTS, hex('3003010100'))],
    ['cA of 1', withExtension(BASIC_CONSTRAINTS, hex('3003010101'))],
    ['a path length without cA', withExtension(BASIC_CONSTRAINTS, hex('3003020100'))],
    ['something after the basic constraints', withExtension(BASIC_CONSTRAINTS, hex('3000 0500'))],
    ['no names in the list of names', withExtension(SUBJECT_ALT_NAME, hex('3000'))],
    ['a name of unknown kind', withExtension(SUBJECT_ALT_NAME, der(0x30, uri('spiffe://east.example/web'), hex('0c0141')))],
    ['a URI with a zero byte', withExtension(SUBJECT_ALT_NAME, der(0x30, uri('spiffe://east.example/web\0.other')))],
    ['a URI with a line break', withExtension(SUBJECT_ALT_NAME, der(0x30, uri('spiffe://east.example/web\n')))],
    ['a URI that is not ASCII', withExtension(SUBJECT_ALT_NAME, der(0x30, uri('spiffe://east.example/w\u00e9b')))],
    ['an empty URI', withExtension(SUBJECT_ALT_NAME, der(0x30, uri('')))],
    ['a URI in a constructed element', withExtension(SUBJECT_ALT_NAME, der(0x30, der(0xa6, uri('spiffe://east.example/web'))))],
    ...[0x80, 0xa1, 0xa2, 0x83, 0x84, 0x85, 0xa6, 0xa7, 0xa8, 0x89, 0x9e, 0xa9, 0xbe, 0x06, 0x46, 0xc6].map((tag) => {
      const second = der(tag, Buffer.from('spiffe://east.example/batch'));
      const names = der(0x30, uri('spiffe://east.example/web'), second);
      return [`X1 a name of the tag 0x${tag.toString(16)} beside a good one`, withExtension(SUBJECT_ALT_NAME, names)] as const;
    }),
    [
      'name constraints on a kind that there is not',
      withExtension(NAME_CONSTRAINTS, der(0x30, der(0xa0, der(0x30, der(0x89, Buffer.of(0x61)))))),
    ],
    [
      'name constraints on URIs in constructed form',
      withExtension(NAME_CONSTRAINTS, der(0x30, der(0xa0, der(0x30, der(0xa6, Buffer.from('east.example')))))),
    ],
    ['an empty extended key usage', withExtension(EXTENDED_KEY_USAGE, hex('3000'))],
    [
      'name constraints with a minimum',
      withExtension(NAME_CONSTRAINTS, der(0x30, der(0xa0, der(0x30, uri('east.example'), hex('800100'))))),
    ],
  ])('%s', (_, change) => {
    expect(() => verifyX509Svid([resigned(change)], ca.bundles, TEST_NOW)).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^(DER|CERTIFICATE|SVID)_INVALID$/) }),
    );
  });
});

describe('any input', () => {
  const verifyOrRefuse = (chain: readonly Uint8Array[]): string | undefined => {
    try {
      return verifyX509Svid(chain, ca.bundles, TEST_NOW).id;
    } catch (error) {
      if (!isSymbolonError(error)) throw error;
      return undefined;
    }
  };

  test('a leaf with any one bit changed is refused', () => {
    for (let bit = 0; bit < leaf.length * 8; bit++) {
      const changed = Uint8Array.from(leaf);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      if (verifyOrRefuse([changed]) !== undefined) throw new Error(`bit ${bit} of the leaf does not count`);
    }
  }, 60_000);

  test('a remembered leaf with any one byte changed is refused', () => {
    const verifier = createSvidVerifier();
    verifier.verify([leaf], ca.bundles, TEST_NOW);
    for (let byte = 0; byte < leaf.length; byte += 7) {
      const changed = Uint8Array.from(leaf);
      changed[byte] = (changed[byte] ?? 0) ^ 0xff;
      expect(() => verifier.verify([changed], ca.bundles, TEST_NOW)).toThrow();
    }
  });

  test('a leaf cut short or made longer is refused', () => {
    for (let length = 0; length < leaf.length; length += 3) expect(verifyOrRefuse([leaf.subarray(0, length)])).toBeUndefined();
    expect(verifyOrRefuse([Buffer.concat([leaf, Buffer.of(0)])])).toBeUndefined();
  });

  test('rubbish is refused with a SymbolonError', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 6 }), (chain) => {
        expect(verifyOrRefuse(chain)).toBeUndefined();
      }),
      { numRuns: 1000 },
    );
  });

  test('a signed part that is rubbish in places is refused with a SymbolonError, or is the same workload’s', () => {
    const [tbs = Buffer.alloc(0)] = children(leaf);
    fc.assert(
      fc.property(fc.integer({ min: 4, max: tbs.length - 1 }), fc.uint8Array({ minLength: 1, maxLength: 8 }), (at, patch) => {
        const changed = Buffer.from(tbs);
        changed.set(patch.subarray(0, changed.length - at), at);
        try {
          parseCertificate(
            der(0x30, changed, hex('300a06082a8648ce3d040302'), der(0x03, Buffer.of(0), sign('sha256', changed, ca.privateKey))),
          );
        } catch (error) {
          expect(isSymbolonError(error)).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('parsing keeps nothing of the caller’s buffer that it could change afterwards', () => {
    const own = Buffer.from(leaf);
    const svid = verifyX509Svid([own], ca.bundles, TEST_NOW);
    own.fill(0);
    expect(Buffer.from(svid.chain[0] ?? '').equals(leaf)).toBe(true);
  });
});
