/* SPDX-License-Identifier: BSD-2-Clause */
/* policies.c - the one table of policies. */
#include "policies.h"

#include <string.h>

const struct tmemd_policy *const tmemd_policies[] = {
	&tmemd_policy_greedy,
	&tmemd_policy_static,
	&tmemd_policy_weighted,
	&tmemd_policy_utility,
	NULL,
};

const struct tmemd_policy *tmemd_policy_find(const char *name)
{
	size_t i;

	for (i = 0; tmemd_policies[i]; i++)
		if (!strcmp(tmemd_policies[i]->name, name))
			return tmemd_policies[i];
	return NULL;
}
