/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Never loaded: an object whose BTF holds every type of the contract, also those that no program happens to use. */
#include "tables.h"

struct {
	enum sym_limit limit;
	enum sym_realm realm;
	enum sym_role role;
	enum sym_gate_mode gate_mode;
	enum sym_pair_state pair_state;
	enum sym_protection protection;
	enum sym_owner_kind owner_kind;
	enum sym_flow_flag flow_flag;
	enum sym_gate_kind gate_kind;
	enum sym_reason reason;
	struct sym_owner_key owner_key;
	struct sym_endpoint endpoint;
	struct sym_usage usage;
	struct sym_pair_key pair_key;
	struct sym_pair pair;
	struct sym_session session;
	struct sym_flow_key flow_key;
	struct sym_flow flow;
	struct sym_deny deny;
	struct sym_prefix_key prefix_key;
	struct sym_prefix prefix;
	struct sym_gate gate;
	struct sym_node node;
	struct sym_cookie cookie;
	struct sym_sweep_args sweep_args;
} sym_contract;
