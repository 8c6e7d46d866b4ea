import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { parseDurationMs } from '#core/time/duration';
import { systemClock } from '#daemon/clock';
import { EXIT_HELP } from '#daemon/exit';
import { createLogger, LOG_LEVELS } from '#daemon/log';
import { closeOnSignal } from '#daemon/shutdown';
import { VERSION } from '#daemon/version';
import { startAuthority } from '../authority.ts';
import { ADMIN_SOCKET_NAME, authorityConfig, DEFAULT_DATA_FOLDER, DEFAULT_LISTEN, type ServeFlags } from '../config.ts';
import { writeAdminSvid } from './admin-svid.ts';
import { BUNDLE_FORMATS, type BundleFormat, readBundleText } from './show-bundle.ts';

const DEFAULT_ADMIN_TTL = '720h';

function durationSeconds(text: string): number {
  const ms = parseDurationMs(text);
  if (ms === undefined || ms < 1000) throw new InvalidArgumentError('expected a duration of at least 1s, like 24h or 90m');
  return Math.floor(ms / 1000);
}

function adminSocketOption(): Option {
  return new Option('--admin-socket <path>', 'the unix socket of the running authority').default(
    join(DEFAULT_DATA_FOLDER, ADMIN_SOCKET_NAME),
  );
}

/** The command line of the authority: `serve`, `admin-svid`, `bundle show`. Commander's own exits become CommanderErrors. */
export function authorityCommand(): Command {
  const command = new Command('symbolon authority')
    .version(VERSION)
    .description('the control plane of one trust domain')
    .addHelpText('after', EXIT_HELP)
    .exitOverride();
  command
    .command('serve')
    .description('make (on first start) or open the CA and the store of a trust domain, and serve')
    .requiredOption('--trust-domain <name>', 'the trust domain, like east.example')
    .option('--data <folder>', "the CA's key and the store", DEFAULT_DATA_FOLDER)
    .option('--listen <address:port>', 'where agents and administrators connect, over TLS', DEFAULT_LISTEN)
    .option('--admin-socket <path>', 'the unix socket for local administration (default: admin.sock in the data folder)')
    .addOption(new Option('--log-level <level>').choices([...LOG_LEVELS]).default('info'))
    .action(async (flags: ServeFlags) => {
      const config = authorityConfig(flags);
      // Whatever is written from here on is this user's alone.
      process.umask(0o077);
      const log = createLogger({ name: 'symbolon-authority', level: config.logLevel });
      const authority = await startAuthority(config, systemClock, log);
      closeOnSignal(log, () => authority.close());
    });
  command
    .command('admin-svid')
    .description('write svid.pem, key.pem and bundle.pem of an administrator, for use from other machines')
    .requiredOption('--out <folder>', 'where to write them')
    .option('--name <name>', 'the last segment of the SPIFFE ID', 'admin')
    .option('--read-only', 'may read (and plan), not write', false)
    .addOption(
      new Option('--ttl <duration>', 'how long it is valid')
        .argParser(durationSeconds)
        .default(durationSeconds(DEFAULT_ADMIN_TTL), DEFAULT_ADMIN_TTL),
    )
    .addOption(adminSocketOption())
    .action(async (flags: { out: string; name: string; readOnly: boolean; ttl: number; adminSocket: string }) => {
      const rights = flags.readOnly ? 'read' : 'write';
      const id = await writeAdminSvid({
        adminSocket: flags.adminSocket,
        outFolder: flags.out,
        name: flags.name,
        rights,
        ttlSeconds: flags.ttl,
      });
      console.log(`wrote svid.pem, key.pem and bundle.pem of ${id} to ${flags.out}`);
    });
  command
    .command('bundle')
    .description("the trust domain's bundle")
    .command('show')
    .description('print it')
    .addOption(new Option('--format <format>').choices([...BUNDLE_FORMATS]).default('pem'))
    .addOption(adminSocketOption())
    .action(async (flags: { format: BundleFormat; adminSocket: string }) => {
      process.stdout.write(await readBundleText(flags.adminSocket, flags.format));
    });
  return command;
}
