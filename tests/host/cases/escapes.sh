# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2154  # dollars for the host's shell; host, out...: cases.sh's, tickets.sh's and people.sh's
# What tries to outlive its grant is dead 100 ms after the deadline, with jit-reaperd running and without it; and what was begun before the end of
# an elevation does not go on after it.

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
        expect_shell 0 a "jitctl elevate $id >/dev/null && sudo -n escapes $id-root && sudo -n -b escape $id-b && systemd-run --user --quiet sudo -n escape $id-userservice && tmux new-session -d 'sudo -n escape $id-owntmux' && su - $(account "$id") -c 'escapes $id-su'"
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
        for kind in $want "$id-b" "$id-userservice" "$id-owntmux"; do grep -q "^before:.* $kind\( \|\$\)" "$watch_out" || fail "$kind was not there to be killed: $(head -n1 "$watch_out")"; done
        # No account of a ticket's has a user manager, and root's is not reached.
        expect_no_match 'userunit' "$(cat "$watch_out")"
        worst=$(awk '/^late: / && $3 > worst { worst = $3 } END { print worst + 0 }' "$watch_out")
        expect_ms_below $((escape_limit_ms + 1)) "$worst" "from the deadline to the last process's end"
        ! on pgrep -f "^escape-$id" || fail "lives on: $(on pgrep -af "^escape-$id")"
        # The person's own shell lives on.
        expect_shell 0 a '[ "$(id -un)" = alice ]'
        shell_logout a
}

test_escapes() {
        escape_scene ESC1 7
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
        escape_scene ESC2 7
        pid=$(daemon_pid jit-reaperd)
        on kill -STOP "$pid"
        escape_verdict ESC2
        on kill -CONT "$pid" || :
        LEFT_WAIT=20 nothing_left jit-esc2 "$session_uid"
        LEFT_WAIT=20 expect_ended ESC2 deadline
        # And with one that cannot even be started.
        escape_scene ESC3 7
        on systemctl mask --quiet --runtime --now jit-reaperd.service jit-reaperd.socket
        escape_verdict ESC3
        on systemctl unmask --quiet --runtime jit-reaperd.service jit-reaperd.socket
        on systemctl start jit-reaperd.socket jit-reaperd.service
        LEFT_WAIT=20 nothing_left jit-esc3 "$session_uid"
        LEFT_WAIT=20 expect_ended ESC3 deadline
}

# hold_sudo: from now on every sudo waits after its look at sudoers and before pam_jit's, in the account phase and in the session phase, while
# /run/hold is there.
hold_sudo() {
        printf '#!/bin/sh\ntest -e /run/hold || exit 0\necho held >>/run/held\nwhile test -e /run/hold; do sleep 0.02; done\n' | put /usr/local/sbin/hold 0755
        on sed -i '0,/^session/s//account optional pam_exec.so quiet seteuid \/usr\/local\/sbin\/hold\nsession optional pam_exec.so quiet seteuid \/usr\/local\/sbin\/hold\n&/' \
                /etc/pam.d/sudo
        on touch /run/hold
}

is_held() { [[ $(on cat /run/held | wc -l) == "$1" ]]; }

# A sudo that has read the rule is stopped until the elevation is over: its command never runs, and another person's does.
test_escapes_overtaken() {
        local pid olga until
        own_host
        role=t-all ticket_ready OVER1
        hold_sudo
        shell_open a
        # One that is older than the elevation, and makes a process that is younger than its end (-b).
        shell a '(until test -e go; do sleep 0.02; done; exec sudo -n -b touch /root/old) >/dev/null 2>&1 & disown'
        expect_shell 0 a 'jitctl elevate OVER1; touch go'
        by=olga own_login 'sudo -n touch /root/olga' &
        olga=$!
        term_send a $'sudo -n touch /root/ran; echo last=$?\n'
        wait_for 10 is_held 3
        on jitctl revoke OVER1
        term_read a >/dev/null
        expect_no_match 'last=0' "$term_text"
        on rm /run/hold
        wait "$olga" || fail "olga's sudo was killed, too"
        on test -e /root/olga
        wait_for 5 on sh -c '! pgrep -x sudo'
        on test ! -e /root/ran -a ! -e /root/old || fail "a command ran after the elevation"
        expect_shell 1 a 'sudo -n id'
        not_elevated
        # The same while jit-reaperd is stopped and the deadline passes; and then it is not even there.
        on touch /run/hold
        on rm /run/held
        role=t-all ticket_ready OVER2 --for 4s
        expect_shell 0 a 'jitctl elevate OVER2 >/dev/null; exec 2>&1'
        until=$(deadline_ms OVER2 elevation)
        pid=$(daemon_pid jit-reaperd)
        term_send a $'(sudo -n touch /root/ran; echo one=$?) & (sleep 0.3; sudo -n touch /root/ran2; echo two=$?) & wait; echo last=$?\n'
        wait_for 10 is_held 2
        on kill -STOP "$pid"
        while (($(now_ms) < until + 1100)); do sleep 0.05; done
        on systemctl mask --quiet --runtime jit-reaperd.socket jit-reaperd.service
        on systemctl kill --signal=KILL jit-reaperd.service
        on systemctl stop jit-reaperd.socket
        # NOTAFTER, which counts seconds: no sudo begins any more.
        out=$(as alice timeout -k 1 5 sudo -n true 2>&1) && fail "sudo after the deadline"
        on rm /run/hold
        term_read a >/dev/null
        expect_no_match '(one|two)=0' "$term_text"
        on test ! -e /root/ran -a ! -e /root/ran2 || fail "a command ran after the deadline"
        out=$(by=olga own_login_both 'sudo -n id -u' 2>&1)
        [[ $out == 0 ]] || fail "olga's sudo says: $out"
        on systemctl unmask --quiet --runtime jit-reaperd.socket jit-reaperd.service
        on systemctl start jit-reaperd.socket jit-reaperd.service
        LEFT_WAIT=10 expect_ended OVER2 deadline
}

# The same by a person's own hands: her sudos, and old shells that turn into one, stopped at any moment (SIGSTOP is hers to send) and continued
# when she is elevated no more.
test_escapes_stopped() {
        role=t-all ticket_ready STOP1
        put /usr/local/bin/attack 0755 <<'END'
#!/bin/bash
dir=$(mktemp -d) && cd "$dir" || exit 9
for i in {1..12}; do (until [ -e go ]; do sleep 0.01; done; exec sudo -n sh -c "echo ran >>$dir/ran.$i") & pids+=($!); done
jitctl elevate "$1" || exit 9
touch go
for i in {1..12}; do (sleep "0.0$((RANDOM % 40 + 10))"; kill -STOP "${pids[i - 1]}") & done
for i in {13..24}; do sudo -n sh -c "echo ran >>$dir/ran.$i" & pids+=($!); sleep "0.0$((i * 2 - 20))"; kill -STOP $!; done
sleep 0.3
jitctl drop
rm -f ran.*
kill -CONT "${pids[@]}"
wait "${pids[@]}"
sleep 0.3
echo "ran afterwards: $(ls | grep -c ran)"
sudo -n true
END
        out=$(own_login "attack STOP1" 2>/dev/null) && fail "sudo after the end"
        echo "$out"
        expect_match '^ran afterwards: 0$' "$out"
        expect_ended STOP1 dropped
}

# sudoedit is root only at its beginning and its end, when the person's editor is done: the end of the elevation comes before that.
test_escapes_sudoedit() {
        local n=0 how
        printf '#!/bin/sh\ntouch /tmp/edits\nuntil test -e /tmp/save; do sleep 0.02; done\necho after >"$1"\n' | put /usr/local/bin/slow-editor 0755
        role=t-all ticket_ready EDIT1
        shell_open a
        for how in 'sudo -n -e /root/edited' '(until test -e go; do sleep 0.02; done; exec sudo -n -e /root/edited)'; do
                on sh -c 'echo before >/root/edited; rm -f /tmp/edits /tmp/save /home/alice/go'
                shell a 'export EDITOR=/usr/local/bin/slow-editor'
                [[ $how == sudo* ]] || shell a "$how >/dev/null 2>&1 & disown"
                expect_shell 0 a 'jitctl elevate EDIT1 >/dev/null; touch go'
                [[ $how != sudo* ]] || shell a "$how >/dev/null 2>&1 & disown"
                # It may be refused; if it is not, it is to be bound.
                wait_for 2 on test -e /tmp/edits || n=$((n + 1))
                expect_shell 0 a 'jitctl drop'
                on touch /tmp/save
                wait_for 5 on sh -c '! pgrep -x "sudo|sudoedit|slow-editor"' || :
                [[ $(on cat /root/edited) == before ]] || fail "edited after the end: $how"
        done
        echo "refused: $n of 2"
        expect_shell 1 a 'sudo -n id'
        not_elevated
        # While it lasts it works where the rule covers it; a role's ALL does not.
        printf '#!/bin/sh\necho now >"$1"\n' | put /usr/local/bin/slow-editor 0755
        shell a 'jitctl elevate EDIT1 >/dev/null; sudo -n -e /root/edited; jitctl drop'
        [[ $(on cat /root/edited) == now ]] || grep -q 'password is required\|not allowed' <<<"$out" || fail "sudoedit does not work, and says nothing: $out"
        shell_logout a
}
