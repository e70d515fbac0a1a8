# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What the module's file itself promises; sourced by run.sh, which gives result(), $build and $top.
: "${build:?}" "${top:?}" # set by run.sh

module=$build/pam_jit.so

exports=$(nm -D --defined-only "$module" | awk '{ print $3 }' | sort | tr '\n' ' ')
[[ $exports == "pam_sm_acct_mgmt pam_sm_authenticate pam_sm_close_session pam_sm_open_session pam_sm_setcred " ]]
result $? module_exports_only_pam_sm "$exports"

libraries=$(readelf -d "$module" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | sort | tr '\n' ' ')
[[ $libraries =~ ^libc\.so\.6\ libjansson\.so\.[0-9]+\ libpam\.so\.0\ $ ]]
result $? module_links_only_libpam_and_jansson "$libraries"

# No files, processes, threads, signals, environment, name resolution: calls that a thin client does not need.
calls_of() { # FILE NM-OPTION...: the functions and variables that it takes from elsewhere
        nm "${@:2}" --undefined-only "$1" | awk '{ print $NF }' | sed 's/@.*//; s/^__//; s/_chk$//; s/_2$//'
}
forbidden=$(calls_of "$module" -D |
        grep -xE 'v?fork|clone|exec.*|posix_spawn.*|popen|system|pthread_.*|open(at|64|at64|at2|dir|_by_handle_at)|creat(64)?|fd?open(64|dir)?|freopen(64)?|mkd?o?stemps?(64)?|unlink.*|rename.*|link(at)?|mkdir.*|write|pwrite.*|sigaction|signal|sigprocmask|alarm|setitimer|exit|_exit|abort|getenv|secure_getenv|setenv|putenv|unsetenv|clearenv|getaddrinfo|gethostby.*|res_.*|str(cpy|cat)|v?sprintf|gets|localtime|gmtime|strtok|strerror|usleep' |
        tr '\n' ' ')
[[ -z $forbidden ]]
result $? module_calls_nothing_it_should_not "$forbidden"

# What is allowed, in the files that have the reason for it: the process's login UID, its marker and its cgroup, and JIT_TICKET.
only_in() { # OBJECT NAME: of the module's own files, OBJECT alone takes NAME from elsewhere
        local users
        users=$(for o in "$build"/obj/pam_jit/*.o; do calls_of "$o" | grep -x "$2" >/dev/null && basename "$o"; done)
        [[ ${users//$'\n'/ } == "$1" ]] || { echo "$2: $users" >&2; return 1; }
}
only_in 'inside.o login-uid.o process-start.o' open && only_in elevated-marker.o fstatat && only_in gate.o environ
result $? module_reads_only_where_it_may
own=$(grep -hoE '"/[^"]*"' "$top"/pam_jit/*.c | sort -u | tr '\n' ' ')
[[ $own == '"/" "/jit.slice/jit-" "/proc/self/cgroup" "/proc/self/loginuid" "/proc/self/stat" "/user.slice/user-" ' ]]
result $? module_opens_three_files_of_proc "$own"

# The C start files bring two symbols of their own; everything else that can change would be state between calls.
state=$(objdump -t "$module" | awk '$4 == ".data" || $4 == ".bss" || $5 == ".data" || $5 == ".bss" { print $NF }' |
        grep -vxE '\.data|\.bss|__dso_handle|__TMC_END__|completed\.[0-9]+' | tr '\n' ' ')
[[ -z $state ]]
result $? module_has_no_static_state "$state"

# Not grep -q: it ends at the first hit, and readelf by SIGPIPE, which pipefail takes for a miss.
readelf -d "$module" | grep BIND_NOW >/dev/null && readelf -lW "$module" | grep GNU_RELRO >/dev/null &&
        ! readelf -lW "$module" | grep 'GNU_STACK' | grep RWE >/dev/null
result $? module_is_hardened

if command -v mandoc >/dev/null; then
        mandoc -Tlint -Wwarning "$top/pam_jit/pam_jit.8"
        result $? pam_jit_8_is_clean
else
        result 0 pam_jit_8_is_clean "SKIP no mandoc"
fi
