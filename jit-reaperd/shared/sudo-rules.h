/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_SUDO_RULES_H
#define JIT_SUDO_RULES_H

/* A role's commands as rules of sudoers(5): for jit-reaperd, which writes them, and for whoever shows them to visudo(8)
 * before.
 *
 * MUST: each line is one rule, or one Defaults, of the one user it is for. MUST NOT: let a name, a command or an option
 * into a line that was not checked here as well, whoever has checked it before: sudo obeys. */

#include <stdint.h>
#include <sys/types.h>

#include "config.h"

typedef struct SudoRules {
        const char *id;      /* of the grant: hexadecimal digits; names the folder of its I/O logs */
        const char *account; /* jit-..., whose rules they are; NULL: person_uid's, a person's own account */
        uid_t person_uid;
        const char *requester; /* of account: may become it by sudo -u; NULL: nobody */
        uint64_t until_usec;   /* wall clock; rules end by themselves (NOTAFTER=), rounded down to the second */
} SudoRules;

/* All: *ret is the text, free(); -EINVAL, -ERANGE (the time), -ENOMEM. */

/* That the requester may become the account, and nothing else. */
int sudo_rules_become(const SudoRules *s, char **ret);
/* The commands, with what role says of how they run. For an account also a refusal of everything else, first (the last
 * match counts), so that rules of the host's own for a group of the account's do not add to the ticket's, and the line
 * of sudo_rules_become() if there is a requester. */
int sudo_rules_text(const SudoRules *s, const Role *role, char *const *commands, char **ret);
/* For an account on a host whose sudo knows no NOTAFTER=: the refusal alone. */
int sudo_rules_refusal(const SudoRules *s, char **ret);
/* Every form that a grant of role may take, for visudo(8). The account in it has the role's name. */
int sudo_rules_sample(const Role *role, char **ret);
/* A rule that every sudo takes which takes ours: if visudo(8) refuses this, no role is at fault. */
extern const char sudo_rules_probe[];

/* A ticket may narrow its role, and never widen it. Whether command, as a ticket names it, is one of the role's
 * commands word for word, or one command with exact arguments that one of them covers: one with a pattern that matches
 * the arguments, one without arguments of the same program, or ALL. *ret: the role's command, or the ticket's with the
 * digest that the role demands; free(). -EINVAL and *ret_why (static): the end of a sentence, "has ..." or "is ...". */
int sudo_command_narrow(char *const *role_commands, const char *command, char **ret, const char **ret_why);

/* Where sudo puts a grant's I/O logs (Record=sudo), each in a folder of its own below; sudoreplay(8) -d. */
#define SUDO_IO_LOGS "/var/log/sudo-io/jit"

#endif
