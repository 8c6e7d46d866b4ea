import { writeFileSync } from 'node:fs';

/**
 * Writes a setting of one interface (/proc/sys/net/ipv6/conf). Where there is no IPv6, no such interface any more, or no writing to /proc/sys,
 * nothing changes.
 */
export function setIpv6Setting(interfaceName: string, key: 'accept_ra' | 'disable_ipv6', value: number): void {
  try {
    writeFileSync(`/proc/sys/net/ipv6/conf/${interfaceName}/${key}`, String(value));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'EROFS') throw error;
  }
}
