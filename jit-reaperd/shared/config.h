/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_CONFIG_H
#define JIT_CONFIG_H

/* jit.conf(5): /etc/jit/jit.conf, jit.conf.d drop-ins, roles.d/NAME.conf with NAME.conf.d drop-ins. Parsed by libinih,
 * checked by a table. A wrong file is refused whole. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "strv.h"

/* Ways= of a role: how its tickets may be used. */
enum {
        ROLE_WAY_ACCOUNT = 1 << 0, /* account: a transient account, by ssh, login, su and sudo -u */
        ROLE_WAY_ELEVATE = 1 << 1, /* elevate: the person's own account gets the role's sudo rules (jitctl elevate) */
        ROLE_WAY_GATE = 1 << 2,    /* gate: opens the host's own sudo rules (pam_jit.so gate) */
};

/* Record= of a role. */
typedef enum RoleRecord {
        ROLE_RECORD_NONE,
        ROLE_RECORD_SUDO, /* sudo: sudo's own I/O log of each command, below /var/log/sudo-io/jit/GRANT */
        ROLE_RECORD_TLOG, /* tlog: tlog-rec-session(8) as the transient account's shell */
} RoleRecord;

typedef struct Role {
        char *name;         /* the file's name without .conf */
        char *description;  /* Description= */
        char **groups;      /* Groups=adm systemd-journal: supplementary groups, by name, existing on the host */
        char **commands;    /* Command=/usr/bin/systemctl restart postgresql (repeated): sudoers(5) command, or ALL */
        char *run_as;       /* RunAs=root: sudoers Runas_Spec, default root */
        char *shell;        /* Shell=/bin/bash */
        uint64_t ttl_usec;  /* TTLSec=1h, 1 min .. 7 d: the longest life of a grant */
        uint64_t idle_usec; /* IdleSec=10s..7d, 0: no idle limit */
        unsigned approvers; /* Approvers=1, 1..8 */
        uint64_t home_size_max;   /* HomeSizeMax=64M (K, M, G), 1M..16G */
        uint64_t home_inodes_max; /* HomeInodesMax=16384 */
        uint64_t memory_max;      /* MemoryMax=, 0: no limit */
        uint64_t tasks_max;       /* TasksMax=4096 */
        bool reactivate;      /* Reactivate=no: a ticket may be used again inside its window when its grant is over */
        unsigned ways;        /* Ways=account elevate: ROLE_WAY_* */
        RoleRecord record;    /* Record=no */
        bool workloads;       /* Workloads=no: services without a login may use it, as the user they run as */
        bool end_with_caller; /* EndWithCaller=yes: what su, sudo and run0 start dies with the login session they were
                                 called in */
        bool no_exec;         /* NoExec=no: sudoers(5) NOEXEC */
        bool set_env;         /* SetEnv=no: sudoers(5) SETENV */
        char **env_keep; /* EnvKeep=: names of variables that sudo lets through, [A-Za-z_][A-Za-z0-9_]*, at most 32 */
} Role;

typedef struct Config {
        /* [Host] Name=: what this host is called in tickets; default: gethostname(), and its part before the first dot.
         */
        char **host_names;
        uid_t uid_min, uid_max;  /* [Accounts] UIDRange=65536-99999 */
        uint64_t reserve_usec;   /* [Accounts] ReserveSec=2min, 10 s .. 10 min */
        unsigned grants_max;     /* [Accounts] GrantsMax=1024, 1..100000 */
        uint64_t approval_usec;  /* [Approval] TimeoutSec=10s, 1 s .. 60 s: one question's total deadline */
        uint64_t wait_usec;      /* [Approval] WaitSec=0, 1 s .. 100 s: how long a login may wait for an approval, 0: not */
        uint64_t *warn_usec;     /* [Sessions] WarnSec=5min 1min: descending, ends with 0 */
        char *emergency_contact; /* [Sessions] Contact=: a line for refused people: whom to ask; may be NULL */
        /* [Sessions] UserCAFile=: OpenSSH CA public key; certificates with the person as principal are accepted; may be
         * NULL. */
        char *user_ca_file;
        Role **roles; /* NULL-ended, sorted by name */
        bool no_sudo_rules; /* no key: this host's sudo knows no rules that end by themselves, see role-check.h */
} Config;

enum { CONFIG_WHY_MAX = 512 };

/* Reads everything below root ("" for the host itself; a directory in tests). -EBADMSG and ret_why
 * ("/etc/jit/roles.d/dba.conf:7: TTLSec=: ..."), CONFIG_WHY_MAX bytes; -ENOMEM. A missing /etc/jit/jit.conf means
 * defaults. */
int config_load(const char *root, Config **ret, char *ret_why);
Config *config_free(Config *c);
/* Whether command may stand in a sudoers rule as one Cmnd: ALL, or one program with or without arguments or with a
 * pattern for them, a sha256 digest before it or not. *ret_why (static; ret_why may be NULL) gets the end of a
 * sentence: "has ...". */
bool sudo_command_is_valid(const char *command, const char **ret_why);
/* Whether sudo may let the variable of this name through: an ordinary name, and none that runs programs by itself. */
bool env_name_is_valid(const char *name);
const Role *config_role(const Config *c, const char *name); /* NULL if there is none */
DEFINE_CLEANUP(Config, config_free);

#endif
