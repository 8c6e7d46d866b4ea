/** How many places there are, how many of them one may hold, and who gives way where there is none left. */
export interface PlaceLimits {
  readonly all: number;
  readonly ofOne: number;
  /**
   * `oldest`: the oldest of whoever holds most; for what is over soon, where only somebody who means harm holds on. `newcomer`: he is refused;
   * for what lasts. If all places are taken and somebody holds two more than the newcomer, it is the newest of that one who gives way instead.
   */
  readonly givesWay: 'oldest' | 'newcomer';
}

interface Place {
  readonly who: string;
  readonly close: () => void;
}

/** Places that are shared out among many, so that one who takes all that he can get leaves room for the others. */
export class Places {
  private readonly held = new Map<string, Place[]>();
  private taken = 0;

  constructor(private readonly limits: PlaceLimits) {}

  /**
   * Takes a place for `who`; `close` is called if it must be given up for another. Answers what gives it back, or undefined if there is no
   * place to be had.
   */
  take(who: string, close: () => void): (() => void) | undefined {
    const mine = this.countOf(who);
    const victim = mine >= this.limits.ofOne ? who : this.taken >= this.limits.all ? this.biggest() : undefined;
    if (victim !== undefined && !this.makeRoom(victim, who, mine)) return undefined;
    const place = { who, close };
    const places = this.held.get(who);
    if (places) places.push(place);
    else this.held.set(who, [place]);
    this.taken++;
    return () => this.leave(place);
  }

  /** Closes whatever holds a place. */
  closeAll(): void {
    for (const place of [...this.held.values()].flat()) this.evict(place);
  }

  private countOf(who: string): number {
    return this.held.get(who)?.length ?? 0;
  }

  /** Whoever holds most; of several, who came first. */
  private biggest(): string | undefined {
    let found: string | undefined;
    for (const [who, places] of this.held) if (found === undefined || places.length > this.countOf(found)) found = who;
    return found;
  }

  private makeRoom(victim: string, who: string, mine: number): boolean {
    const isOldest = this.limits.givesWay === 'oldest';
    if (!isOldest && (victim === who || this.countOf(victim) < mine + 2)) return false;
    const place = this.held.get(victim)?.at(isOldest ? 0 : -1);
    if (!place) return false;
    this.evict(place);
    return true;
  }

  private evict(place: Place): void {
    this.leave(place);
    place.close();
  }

  private leave(place: Place): void {
    const places = this.held.get(place.who) ?? [];
    const at = places.indexOf(place);
    if (at < 0) return;
    places.splice(at, 1);
    this.taken--;
    if (places.length === 0) this.held.delete(place.who);
  }
}
