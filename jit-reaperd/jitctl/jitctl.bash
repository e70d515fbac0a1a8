# SPDX-License-Identifier: Apache-2.0
# bash completion for jitctl(1). Ids come from the daemons, which say only what the caller may see.

# The first column of a table, without its header.
_jitctl_ids() {
        jitctl --no-color "$@" 2>/dev/null </dev/null | awk 'NR > 1 { print $1 }'
}

# Tickets of live grants, and accounts that are theirs alone; a person's own name stands for no grant.
_jitctl_grants() {
        jitctl --no-color list 2>/dev/null </dev/null | awk 'NR > 1 { print $4; if ($1 ~ /^jit-/) print $1 }'
}

# The words that are no options, without jitctl itself and what is being typed.
_jitctl_verb() {
        local i
        for ((i = 1; i < COMP_CWORD; i++)); do
                [[ ${COMP_WORDS[i]} == -* ]] || printf '%s ' "${COMP_WORDS[i]}"
        done
}

_jitctl_options() {
        local common='--json --no-color --help'
        case $1 in
        'ticket new '*)
                echo "--role --host --requester --from --until --for --title --reason --key --no-key"
                echo "--command --emergency --provider --output $common" ;;
        'ticket approve '*) echo "--key --as --yes --file --output $common" ;;
        'ticket deny '* | 'ticket close '*) echo "--reason $common" ;;
        'ticket export '*) echo "--output $common" ;;
        'elevate '*) echo "--wait $common" ;;
        'revoke '*) echo "--all --reason $common" ;;
        'provider test '*) echo "--person $common" ;;
        'policy test '*) echo "--policy --no-color --help" ;;
        'audit verify '*) echo "--key --head $common" ;;
        '') echo "$common --version" ;;
        *) echo "$common" ;;
        esac
}

_jitctl_words() {
        case $1 in
        '') echo 'ticket elevate drop list show revoke explain provider policy audit check status help' ;;
        'ticket ') echo 'new approve deny close show list export import' ;;
        'provider ') echo 'list test' ;;
        'policy ') echo 'test' ;;
        'audit ') echo 'verify' ;;
        'ticket approve ' | 'ticket deny ' | 'ticket close ' | 'ticket show ' | 'ticket export ' | 'explain ' | 'elevate ')
                _jitctl_ids ticket list ;;
        'show ' | 'revoke ') _jitctl_grants ;;
        'provider test ') _jitctl_ids provider list ;;
        esac
}

_jitctl() {
        local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} verb role
        verb=$(_jitctl_verb)
        COMPREPLY=()
        case $prev in
        --key | --file | --output | --head | --policy | -k | -f | -o | -p)
                compopt -o filenames 2>/dev/null
                mapfile -t COMPREPLY < <(compgen -f -- "$cur")
                return ;;
        --role | -r)
                for role in /etc/jit/roles.d/*.conf /usr/lib/jit/roles.d/*.conf; do
                        role=${role##*/}
                        role=${role%.conf}
                        [[ $role != '*' && $role == "$cur"* ]] && COMPREPLY+=("$role")
                done
                return ;;
        --host | -H)
                mapfile -t COMPREPLY < <(compgen -A hostname -- "$cur")
                return ;;
        --provider)
                mapfile -t COMPREPLY < <(compgen -W "$(_jitctl_ids provider list)" -- "$cur")
                return ;;
        --requester | --as | --person)
                mapfile -t COMPREPLY < <(compgen -u -- "$cur")
                return ;;
        --from | --until | --for | --title | --reason | --command | -t) return ;;
        esac
        if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W "$(_jitctl_options "$verb")" -- "$cur")
        elif [[ $verb == 'ticket import ' || $verb == 'audit verify ' || $verb == 'policy test ' ]]; then
                compopt -o filenames 2>/dev/null
                mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        else
                mapfile -t COMPREPLY < <(compgen -W "$(_jitctl_words "$verb")" -- "$cur")
        fi
}

complete -F _jitctl jitctl
