import { isSymbolonError, SymbolonError } from '#core/errors/error';
import { parseTrustDomain, trustDomainId } from '#core/spiffe/id';
import { ControlService } from '#proto/gen/symbolon/authority/control';
import type { TrustDomainSettings } from '#proto/gen/symbolon/authority/types';
import { ADDRESS_PREFIX } from '../attributes/address.ts';
import { SECONDS } from '../attributes/duration.ts';
import { ENFORCEMENT, enforcementFromMessage, enforcementToMessage } from '../attributes/enforcement.ts';
import { secondsFromMessage, secondsToMessage } from '../attributes/seconds.ts';
import { TRUST_DOMAIN } from '../attributes/trust-domain.ts';
import type { AuthorityConnection } from '../authority/authority-connection.ts';
import { awaitEnforcement } from '../authority/await-enforcement.ts';
import type { Connections } from '../authority/connections.ts';
import { untilSettled } from '../authority/settle.ts';
import { attributePath } from '../plugin/path.ts';
import { NOT_YET_KNOWN, type Operation, type Resource, type Stored } from '../plugin/resource.ts';
import { attribute, type Model } from '../plugin/schema/attribute.ts';
import { UNKNOWN } from '../plugin/values/unknown.ts';
import { rememberedGeneration, rememberGeneration } from './generation.ts';
import { checkOneAddress, createOnce, type Identified } from './one-address.ts';
import { noneToNull } from './message-values.ts';
import { checkHasAuthority, knownDomain } from './trust-domain-of-plan.ts';

const attributes = {
  id: attribute.string({ computed: true, description: "The trust domain's name." }),
  name: attribute.string({
    required: true,
    forceNew: true,
    rule: TRUST_DOMAIN,
    description: 'Name of the trust domain, like `east.example`.',
  }),
  x509_svid_ttl: attribute.string({
    optional: true,
    rule: SECONDS,
    description: 'Lifetime of X509-SVIDs whose identity says nothing else, like `"1h"`. Default: the authority\'s, one hour.',
  }),
  enforcement: attribute.string({
    optional: true,
    rule: ENFORCEMENT,
    description: "Default of the identities' `enforcement`: `all`, `inbound` or `off`. Default: `all`.",
  }),
  address_prefixes: attribute.texts({
    optional: true,
    element: ADDRESS_PREFIX,
    description: "Every node's prefixes must lie inside these. Default: no limit.",
  }),
  spiffe_id: attribute.string({ computed: true, description: 'The SPIFFE ID of the trust domain, `spiffe://<name>`. Known at plan.' }),
} as const;
type TrustDomainModel = Model<typeof attributes>;

function toMessage(model: TrustDomainModel, owner: string): TrustDomainSettings {
  return {
    trustDomain: model.name,
    x509SvidTtlSeconds: secondsToMessage(model.x509_svid_ttl),
    enforcement: enforcementToMessage(model.enforcement),
    addressPrefixes: [...(model.address_prefixes ?? [])],
    ownership: { owner, generation: 0n },
    adopted: true,
  };
}

function stored(settings: TrustDomainSettings): Stored<typeof attributes> {
  const trustDomain = parseTrustDomain(settings.trustDomain);
  return {
    values: {
      id: trustDomain,
      name: trustDomain,
      x509_svid_ttl: secondsFromMessage(settings.x509SvidTtlSeconds),
      enforcement: enforcementFromMessage(settings.enforcement),
      address_prefixes: noneToNull(settings.addressPrefixes),
      spiffe_id: trustDomainId(trustDomain),
    },
    private: rememberGeneration(settings.ownership),
  };
}

async function write(
  authority: AuthorityConnection,
  model: TrustDomainModel,
  expectedGeneration: bigint | undefined,
  operation: Operation<Connections>,
): Promise<Stored<typeof attributes>> {
  const settings = toMessage(model, operation.connection.owner);
  const answer = await untilSettled(operation.connection.owner, operation.signal, () =>
    authority.write(ControlService.setTrustDomain, { settings, expectedGeneration }, operation.signal),
  );
  await awaitEnforcement(authority, answer.revision, operation);
  return stored(answer.settings ?? settings);
}

const identified = (name: unknown): Identified => ({ noun: 'trust domain', key: [name] });

/** The settings of a trust domain's authority. */
export const trustDomainResource: Resource<typeof attributes, Connections> = {
  typeName: 'symbolon_trust_domain',
  description:
    'Settings of a trust domain. The authority that runs for it is adopted, never created: its keys are its own. Destroying the resource resets the settings and touches neither keys nor anything else.',
  attributes,
  importExamples: ['east.example'],
  derive: ({ name }) => ({
    id: name,
    spiffe_id: typeof name === 'string' ? trustDomainId(parseTrustDomain(name)) : UNKNOWN,
  }),
  checkPlan: ({ name }, connections, report, begin) => {
    checkHasAuthority(knownDomain(name), attributePath('name'), connections, report);
    checkOneAddress(identified(name), attributePath('name'), begin, connections, report);
  },

  async create(planned, operation) {
    const authority = operation.connection.get(parseTrustDomain(planned.name));
    const found = await authority.read(ControlService.getTrustDomain, {}, operation.signal);
    if (found.trustDomain !== planned.name) {
      throw new SymbolonError(
        'CONFIG_INVALID',
        `the authority at authorities[${JSON.stringify(planned.name)}] is that of ${found.trustDomain}`,
        {
          path: 'authorities',
          value: planned.name,
        },
      );
    }
    // Without an expected generation the authority refuses what is adopted, unless the same owner says the same again.
    const written = await createOnce(identified(planned.name), operation.connection, () => write(authority, planned, undefined, operation));
    if (found.adopted) {
      operation.report.warning(
        'Took over the settings of a trust domain',
        `The settings of ${planned.name} were declared before by the same owner with the same content, as after an interrupted apply. They are managed from here now.`,
      );
    }
    return written;
  },

  async read(state, operation) {
    const trustDomain = parseTrustDomain(state.name);
    const authority = operation.connection.find(trustDomain);
    if (!authority) {
      operation.report.warning(
        'Not refreshed',
        `The address of the authority of ${trustDomain} is not known before apply; its settings are taken from state.`,
      );
      return NOT_YET_KNOWN;
    }
    const settings = await authority.read(ControlService.getTrustDomain, {}, operation.signal);
    return settings.adopted ? stored(settings) : undefined;
  },

  update: (_prior, planned, operation) =>
    write(operation.connection.get(parseTrustDomain(planned.name)), planned, rememberedGeneration(operation.private), operation),

  async delete(prior, operation) {
    const authority = operation.connection.get(parseTrustDomain(prior.name));
    const expectedGeneration = rememberedGeneration(operation.private);
    try {
      const { revision } = await authority.write(ControlService.resetTrustDomain, { id: prior.name, expectedGeneration }, operation.signal);
      await awaitEnforcement(authority, revision, operation);
    } catch (error) {
      if (!isSymbolonError(error, 'NOT_FOUND')) throw error;
    }
  },

  async import(id, operation) {
    const trustDomain = parseTrustDomain(id);
    const settings = await operation.connection.get(trustDomain).read(ControlService.getTrustDomain, {}, operation.signal);
    if (!settings.adopted) {
      throw new SymbolonError(
        'NOT_FOUND',
        `the settings of ${trustDomain} are managed by nobody yet; declare the resource and apply, without an import`,
        {
          what: trustDomain,
        },
      );
    }
    return stored(settings);
  },
};
