/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What kind of ICMP or ICMPv6 message a packet is. */
#pragma once
#include "parse.h"

/* RFC 792, RFC 1256, RFC 4443, RFC 4861, RFC 2710, RFC 3810 */
enum sym_icmp_type {
	ICMP4_ECHO_REPLY = 0,
	ICMP4_UNREACHABLE = 3,
	ICMP4_REDIRECT = 5,
	ICMP4_ECHO = 8,
	ICMP4_ROUTER_ADVERTISEMENT = 9,
	ICMP4_TIME_EXCEEDED = 11,
	ICMP4_PARAMETER = 12,
	ICMP6_UNREACHABLE = 1,
	ICMP6_PARAMETER = 4,
	ICMP6_ECHO = 128,
	ICMP6_ECHO_REPLY = 129,
	ICMP6_MLD_QUERY = 130,
	ICMP6_MLD_DONE = 132,
	ICMP6_ROUTER_SOLICITATION = 133,
	ICMP6_ROUTER_ADVERTISEMENT = 134,
	ICMP6_NEIGHBOUR_SOLICITATION = 135,
	ICMP6_NEIGHBOUR_ADVERTISEMENT = 136,
	ICMP6_REDIRECT = 137,
	ICMP6_MLD2_REPORT = 143,
};

enum sym_icmp_code { ICMP4_ADMIN_PROHIBITED = 13, ICMP6_ADMIN_PROHIBITED = 1 };

/* RFC 4861 section 11.2: nobody beyond the link can send with it. */
#define NEIGHBOUR_HOP_LIMIT 255

static __always_inline int is_icmp(const struct sym_packet *p)
{
	return p->protocol == (p->family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
}

static __always_inline int is_echo_request(const struct sym_packet *p)
{
	return p->icmp_type == (p->family == 4 ? ICMP4_ECHO : ICMP6_ECHO);
}

static __always_inline int is_echo(const struct sym_packet *p)
{
	return is_icmp(p) && (is_echo_request(p) || p->icmp_type == (p->family == 4 ? ICMP4_ECHO_REPLY : ICMP6_ECHO_REPLY));
}

/* Redirects are not among the errors: they are never passed. */
static __always_inline int is_icmp_error(const struct sym_packet *p)
{
	if (!is_icmp(p))
		return 0;
	if (p->family == 6)
		return p->icmp_type >= ICMP6_UNREACHABLE && p->icmp_type <= ICMP6_PARAMETER;
	return p->icmp_type == ICMP4_UNREACHABLE || p->icmp_type == ICMP4_TIME_EXCEEDED || p->icmp_type == ICMP4_PARAMETER;
}

static __always_inline int is_neighbour_type(const struct sym_packet *p)
{
	return p->family == 6 && is_icmp(p) && p->icmp_type >= ICMP6_ROUTER_SOLICITATION && p->icmp_type <= ICMP6_NEIGHBOUR_ADVERTISEMENT;
}

/* Multicast listener messages have hop limit 1 and, as their only extension header, a router alert. */
static __always_inline int is_listener_message(const struct sym_packet *p)
{
	return p->family == 6 && p->router_alert && !p->unseen && is_icmp(p) && p->hop_limit == 1 &&
	       ((p->icmp_type >= ICMP6_MLD_QUERY && p->icmp_type <= ICMP6_MLD_DONE) || p->icmp_type == ICMP6_MLD2_REPORT);
}

/* On-link traffic without which IPv6 does not work, in the direction where it belongs: only the node may advertise itself as a router. */
static __always_inline int is_neighbour_traffic(const struct sym_packet *p, int from_workload)
{
	if (is_listener_message(p))
		return 1;
	if (p->defect || !is_neighbour_type(p) || p->hop_limit != NEIGHBOUR_HOP_LIMIT || p->icmp_code != 0)
		return 0;
	return !(from_workload && p->icmp_type == ICMP6_ROUTER_ADVERTISEMENT);
}

/* A workload is no router, managed or not: the node must not learn routes, addresses or neighbours' places from it. */
static __always_inline int is_router_message(const struct sym_packet *p)
{
	if (!is_icmp(p))
		return 0;
	return p->family == 6 ? p->icmp_type == ICMP6_ROUTER_ADVERTISEMENT || p->icmp_type == ICMP6_REDIRECT :
				p->icmp_type == ICMP4_REDIRECT || p->icmp_type == ICMP4_ROUTER_ADVERTISEMENT;
}

/* The shape of what refuse.h makes. */
static __always_inline int is_refusal(const struct sym_packet *p)
{
	if (p->defect)
		return 0;
	return p->protocol == IPPROTO_TCP ? p->tcp_flags & TCP_RST : is_icmp_error(p);
}
