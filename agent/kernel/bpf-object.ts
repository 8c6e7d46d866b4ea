import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { SymbolonError } from '#core/errors/error';
import { BpfMap } from './bpf-map.ts';
import { describeErrno, lastErrno } from './libc.ts';
import { libbpf, type Pointer, withLibbpfMessages } from './libbpf.ts';

const OPEN_OPTIONS_BYTES = 24; // struct bpf_object_open_opts as far as it is used: size, object name, relaxed_maps
const VERIFIER_TAIL_LINES = 8;

function loadError(path: string, step: string, errno: number, messages: string): SymbolonError<'BPF_LOAD_FAILED'> {
  const lines = messages.trim().split('\n');
  // The verifier's own reason stands in the last lines before its statistics.
  const telling = lines.filter((l) => !/^(processed \d+ insns|-- (BEGIN|END))|failed to load object|^libbpf: failed to load/.test(l));
  const tail = telling.slice(-VERIFIER_TAIL_LINES).join('\n');
  return new SymbolonError('BPF_LOAD_FAILED', `cannot ${step} the BPF object ${path}: ${describeErrno(errno)}\n${tail}`, {
    object: path,
    verifierLog: messages,
  });
}

/** A loaded BPF object: its programs are in the kernel; its maps are those pinned in `pinDirectory` where such exist, else new and pinned. */
export class BpfObject {
  private constructor(
    readonly path: string,
    private object: Pointer,
    private readonly programs: ReadonlyMap<string, Pointer>,
    private readonly maps: ReadonlyMap<string, Pointer>,
  ) {}

  /**
   * Loads the object file. Every map is pinned in `pinDirectory` (on a bpf file system) under its own name, or reused from there.
   * Throws BPF_LOAD_FAILED with the verifier's log; also when a pinned map of another shape is in the way.
   */
  static load(path: string, pinDirectory: string): BpfObject {
    mkdirSync(pinDirectory, { recursive: true, mode: 0o700 });
    const options = Buffer.alloc(OPEN_OPTIONS_BYTES);
    options.writeBigUInt64LE(BigInt(options.length));
    const opened = withLibbpfMessages(() => libbpf.openFile(path, options));
    if (!opened.result) throw loadError(path, 'read', lastErrno(), opened.messages);
    const object = opened.result;
    const maps = new Map<string, Pointer>();
    for (let m = libbpf.nextMap(object, null); m; m = libbpf.nextMap(object, m)) {
      if (libbpf.mapIsInternal(m)) continue;
      const name = libbpf.mapName(m);
      maps.set(name, m);
      libbpf.setMapPinPath(m, join(pinDirectory, name));
    }
    const loaded = withLibbpfMessages(() => libbpf.load(object));
    if (loaded.result < 0) {
      libbpf.close(object);
      throw loadError(path, 'load', -loaded.result, loaded.messages);
    }
    const programs = new Map<string, Pointer>();
    for (let p = libbpf.nextProgram(object, null); p; p = libbpf.nextProgram(object, p)) programs.set(libbpf.programName(p), p);
    return new BpfObject(path, object, programs, maps);
  }

  private static find(of: ReadonlyMap<string, Pointer>, kind: string, name: string, path: string): Pointer {
    const found = of.get(name);
    if (found) return found;
    throw new SymbolonError('BPF_LOAD_FAILED', `the BPF object ${path} has no ${kind} ${name}; it has ${[...of.keys()].join(', ')}`, {
      object: path,
      verifierLog: '',
    });
  }

  /** The file descriptor of a program; valid until `close`. Throws BPF_LOAD_FAILED if there is no such program. */
  programFd(name: string): number {
    return libbpf.programFd(BpfObject.find(this.programs, 'program', name, this.path));
  }

  /** A map with a descriptor of its own, which outlives this object. Throws BPF_LOAD_FAILED if there is no such map. */
  map(name: string): BpfMap {
    return BpfMap.fromFd(libbpf.mapFd(BpfObject.find(this.maps, 'map', name, this.path)));
  }

  /** Gives the descriptors back. What is pinned or attached stays in the kernel. */
  close(): void {
    if (this.object) libbpf.close(this.object);
    this.object = null;
  }
}
