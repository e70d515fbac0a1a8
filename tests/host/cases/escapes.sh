# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2154  # dollars for the host's shell; host, out...: cases.sh's, tickets.sh's and people.sh's
# What tries to outlive its grant is dead 100 ms after the deadline, with jit-reaperd running and without it.

escape_limit_ms=100

# escape NAME stays, and answers to no signal that can be ignored; escapes NAME tries every way out that there is for who runs it.
escape_tools() {
        printf '#!/bin/bash\ntrap "" HUP TERM INT\nexec -a "escape-$1" sleep 1000\n' | put /usr/local/bin/escape 0755
        put /usr/local/bin/escapes 0755 <<'END'
#!/bin/bash
exec >/dev/null 2>&1 </dev/null
n=$1
escape "$n-plain" &
setsid escape "$n-setsid" &
nohup escape "$n-nohup" &
setsid sh -c "setsid escape $n-double &" &
tmux -L "$n" new-session -d "escape $n-tmux"
(escape "$n-stopped" & sleep 0.1; kill -STOP $!)
systemd-run --user --quiet escape "$n-userunit"
systemctl --user start tmux
if [ "$(id -u)" != 0 ]; then
        unshare --user --map-root-user --pid --fork escape "$n-pidns" &
        exit 0
fi
unshare --pid --fork --mount-proc escape "$n-pidns" &
setpriv --reuid mallory --clear-groups setsid escape "$n-user" &
su - olga -c "setsid escape $n-su >/dev/null 2>&1 &"
group=/sys/fs/cgroup$(sed -n s/^0:://p /proc/self/cgroup)
mkdir "$group/nested" "$group/frozen"
sh -c "echo \$\$ >$group/nested/cgroup.procs; exec setsid escape $n-nested" &
sh -c "echo \$\$ >$group/frozen/cgroup.procs; exec setsid escape $n-frozen" &
sleep 0.2
echo 1 >"$group/frozen/cgroup.freeze"
END
        # Prints who is alive shortly before that time, and when each was seen for the last time: milliseconds after it.
        put /usr/local/bin/escape-watch 0755 <<'END'
#!/usr/bin/perl
# clock_gettime(2) is 228 on x86-64; perl-base has no Time::HiRes.
sub now { my $t = "\0" x 16; syscall(228, 0, $t); my ($s, $n) = unpack "qq", $t; return $s + $n / 1e9 }
sub rest { select undef, undef, undef, $_[0] if $_[0] > 0 }
my ($until, $tag) = ($ARGV[0] / 1000, $ARGV[1]);
sub look {
        my %seen;
        opendir my $d, "/proc" or die;
        for (grep { /^\d/ } readdir $d) {
                open my $f, "<", "/proc/$_/cmdline" or next;
                my $line = <$f> // "";
                $seen{$1} = 1 if $line =~ /^escape-(\Q$tag\E-[\w-]+)/;
        }
        return keys %seen;
}
rest($until - 0.3 - now);
$last{$_} = 0 for look;
print join(" ", "before:", sort keys %last), "\n";
my ($gap, $previous) = (0, 0);
while (now() < $until + 3) {
        my $now = now;
        my @alive = look;
        $last{$_} = ($now - $until) * 1000 for @alive;
        last if !@alive && $now > $until + 0.15;
        $gap = $now - $previous if $previous && $now - $previous > $gap;
        $previous = $now;
        rest(0.004);
}
printf "late: %s %.0f\n", $_, $last{$_} for sort keys %last;
printf "longest time between two looks: %.0f ms\n", $gap * 1000;
END
}

setup() { escape_tools; }

# escape_scene ID SECONDS: alice is elevated, and at the same time in the ticket's account by su and by ssh, and root from there; every one of
# them tries everything. The watcher's output in $watch_out.
escape_scene() {
        local id=$1
        role=t-all ticket_ready "$id" --for "${2}s"
        shell_open a
        expect_shell 0 a "jitctl elevate $id >/dev/null && sudo -n escapes $id-root && sudo -n -b escape $id-b && su - $(account "$id") -c 'escapes $id-su'"
        session_command="escapes $id-ssh; sudo -n escapes $id-sshroot; echo uid=\$(id -u); exec sleep 1000" session_start "$id"
        scene_until=$(deadline_ms "$id" elevation)
        [[ $scene_until == "$(deadline_ms "$id" account)" ]] || fail "two deadlines for one ticket"
        watch_out=$work/watch.$host.$id
        on escape-watch "$scene_until" "$id" >"$watch_out" 2>&1 &
        watch_pid=$!
}

# escape_verdict ID: all were there, and none is
escape_verdict() {
        local id=$1 kind want='' worst
        wait "$watch_pid" || :
        cat "$watch_out"
        for kind in plain setsid nohup double tmux stopped pidns; do want+=" $id-root-$kind $id-su-$kind $id-ssh-$kind $id-sshroot-$kind"; done
        for kind in user su nested frozen; do want+=" $id-root-$kind $id-sshroot-$kind"; done
        for kind in $want "$id-b"; do grep -q "^before:.* $kind\( \|\$\)" "$watch_out" || fail "$kind was not there to be killed: $(head -n1 "$watch_out")"; done
        worst=$(awk '/^late: / && $3 > worst { worst = $3 } END { print worst + 0 }' "$watch_out")
        expect_ms_below $((escape_limit_ms + 1)) "$worst" "from the deadline to the last process's end"
        ! on pgrep -f "^escape-$id" || fail "lives on: $(on pgrep -af "^escape-$id")"
        # The person's own shell lives on.
        expect_shell 0 a '[ "$(id -un)" = alice ]'
        shell_logout a
}

test_escapes() {
        escape_scene ESC1 9
        # Root may ask PID 1 for a unit of its own, which no grant's deadline ends: that is residue.
        expect_shell 0 a 'sudo -n systemd-run --quiet --unit=outside sleep 1000'
        escape_verdict ESC1
        nothing_left jit-esc1 "$session_uid"
        expect_ended ESC1 deadline
        on systemctl stop outside
}

test_escapes_daemon_stopped() {
        local pid
        own_host
        escape_tools
        escape_scene ESC2 9
        pid=$(daemon_pid jit-reaperd)
        on kill -STOP "$pid"
        escape_verdict ESC2
        on kill -CONT "$pid" || :
        LEFT_WAIT=20 nothing_left jit-esc2 "$session_uid"
        LEFT_WAIT=20 expect_ended ESC2 deadline
        # And with one that cannot even be started.
        escape_scene ESC3 9
        on systemctl mask --quiet --runtime --now jit-reaperd.service jit-reaperd.socket
        escape_verdict ESC3
        on systemctl unmask --quiet --runtime jit-reaperd.service jit-reaperd.socket
        on systemctl start jit-reaperd.socket jit-reaperd.service
        LEFT_WAIT=20 nothing_left jit-esc3 "$session_uid"
        LEFT_WAIT=20 expect_ended ESC3 deadline
}
