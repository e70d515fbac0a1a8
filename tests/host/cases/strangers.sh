# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2086,SC2154  # dollars for the host's shell; $sockets is words; host, out...: cases.sh's and tickets.sh's
# Strangers' messages on every socket, and floods of names.

sockets='/run/jit/io.pamjit.Reaper /run/jit/io.pamjit.Approver /run/systemd/userdb/io.pamjit.Reaper'

# varlink USER SOCKET METHOD PARAMETERS: one call; prints the answer
varlink() {
        as "$1" timeout 10 perl -MIO::Socket::UNIX -e '
                my $s = IO::Socket::UNIX->new(Peer => $ARGV[0]) or die "connect: $!";
                $s->syswrite(qq({"method":"$ARGV[1]","parameters":$ARGV[2]}\0)); local $/ = "\0"; my $a = <$s>; print $a // "closed", "\n"' \
                "$2" "$3" "$4" 2>&1 | tr -d '\0'
}

test_introspection() {
        local socket
        for socket in $sockets; do
                out=$(varlink mallory "$socket" org.varlink.service.GetInfo '{}')
                echo "$out"
                expect_match 'interfaces' "$out"
        done
        expect_match 'method Authorize' "$(varlink mallory /run/jit/io.pamjit.Reaper org.varlink.service.GetInterfaceDescription '{"interface":"io.pamjit.Reaper"}')"
        expect_match 'method Evaluate' "$(varlink mallory /run/jit/io.pamjit.Approver org.varlink.service.GetInterfaceDescription '{"interface":"io.pamjit.Approver"}')"
}

# What is root's is root's.
test_stranger_methods() {
        local r=/run/jit/io.pamjit.Reaper a=/run/jit/io.pamjit.Approver
        ticket_ready SECRET1
        out=$(varlink mallory $r io.pamjit.Reaper.Authorize '{"account":"jit-secret1","service":"sshd"}')
        expect_match PermissionDenied "$out"
        out=$(varlink mallory $r io.pamjit.Reaper.OpenSession '{"account":"jit-secret1","service":"sshd"}')
        expect_match PermissionDenied "$out"
        out=$(varlink mallory $a io.pamjit.Approver.Evaluate '{"account":"jit-secret1","context":{"phase":"name"}}')
        expect_match PermissionDenied "$out"
        out=$(varlink mallory $a io.pamjit.Approver.Watch '{}')
        expect_match 'PermissionDenied|ExpectedMore' "$out"
        out=$(varlink mallory $r io.pamjit.Reaper.Revoke '{"grant":"*"}')
        expect_match 'PermissionDenied|NoSuchGrant|Refused|"revoked":\[\]' "$out"
        out=$(varlink mallory $a io.pamjit.Approver.CloseTicket '{"id":"SECRET1"}')
        expect_match 'NotAllowed|NoSuchTicket|PermissionDenied' "$out"
        out=$(varlink mallory $a io.pamjit.Approver.DenyTicket '{"id":"SECRET1"}')
        expect_match 'NotAllowed|NoSuchTicket|PermissionDenied' "$out"
        expect_status 0 login SECRET1 true
}

# Garbage of every sort; every daemon is the same process after, and the next login works.
test_stranger_garbage() {
        local socket before after user
        on systemctl start jit-reaperd.service jit-approverd.service
        before="$(daemon_pid jit-reaperd) $(daemon_pid jit-approverd)"
        for socket in $sockets; do
                for user in mallory root; do
                        if [[ $user == root ]]; then run=on; else run="as mallory"; fi
                        $run timeout 60 perl -MIO::Socket::UNIX -e '
                                $SIG{PIPE} = "IGNORE"; srand 1; my $n = 0;
                                sub say_to { my $s = IO::Socket::UNIX->new(Peer => $ARGV[0]) or return; $s->syswrite($_) for @_; $s->shutdown(1);
                                        local $SIG{ALRM} = sub { die "hung" }; alarm 5; 1 while $s->sysread(my $b, 65536); alarm 0; $n++ }
                                say_to($_) for "", "\0", "\0" x 1000, "{}\0", "[]\0", "null\0", "1\0", "\"\0", "{\0", "{\"method\":\0", "\xff\xfe\0",
                                        "{\"method\":1}\0", "{\"method\":\"\"}\0", "{\"method\":\".\"}\0", "{\"method\":\"a.b\"}\0",
                                        "{\"method\":\"io.pamjit.Reaper.No\"}\0", "{\"method\":\"io.pamjit.Reaper.ListGrants\",\"parameters\":[]}\0",
                                        "{\"method\":\"io.pamjit.Reaper.ListGrants\",\"parameters\":{\"x\":1}}\0",
                                        "{\"method\":\"io.pamjit.Reaper.ListGrants\",\"method\":\"x\"}\0",
                                        "{\"method\":\"io.pamjit.Reaper.GetGrant\",\"parameters\":{\"grant\":\"" . "a" x 100000 . "\"}}\0",
                                        "{\"method\":\"io.pamjit.Reaper.GetGrant\",\"parameters\":{\"grant\":\"%s%n\\u0000\"}}\0",
                                        "{\"method\":\"io.pamjit.Approver.GetTicket\",\"parameters\":{\"id\":\"../../etc/passwd\"}}\0",
                                        "{\"method\":\"io.pamjit.Approver.NewTicket\",\"parameters\":{\"ticket\":{}}}\0",
                                        "{\"method\":\"io.systemd.UserDatabase.GetUserRecord\",\"parameters\":{}}\0",
                                        "{\"method\":\"io.systemd.UserDatabase.GetUserRecord\",\"parameters\":{\"uid\":-1,\"service\":\"io.pamjit.Reaper\"}}\0",
                                        "{\"method\":\"io.systemd.UserDatabase.GetUserRecord\",\"parameters\":{\"userName\":\"jit-\\u0001\",\"service\":\"io.pamjit.Reaper\"}}\0",
                                        "{\"method\":\"org.varlink.service.GetInfo\"}\0" x 500, "{\"a\":" x 50000 . "\0", "[" x 100000 . "\0", "x" x 3000000;
                                say_to(join "", map { chr int rand 256 } 1 .. int rand 400) for 1 .. 200;
                                # connections that stay, and say a byte
                                my @held = grep { $_ } map { my $s = IO::Socket::UNIX->new(Peer => $ARGV[0]); $s->syswrite("{") if $s; $s } 1 .. 500;
                                print "$n conversations, ", scalar @held, " held\n"' "$socket" || fail "$user at $socket"
                done
        done
        after="$(daemon_pid jit-reaperd) $(daemon_pid jit-approverd)"
        [[ $before == "$after" ]] || fail "a daemon has been restarted: $before, then $after"
        ticket_ready GARBAGE1
        expect_status 0 login GARBAGE1 true
}

# One user who holds every connection there is does not keep others out.
test_stranger_holds_connections() {
        local start
        as mallory timeout 40 perl -MIO::Socket::UNIX -e '
                $SIG{PIPE} = "IGNORE";
                my @held = grep { $_ } map { my $n = $_; map { my $s = IO::Socket::UNIX->new(Peer => $_); $s->syswrite("{\"method\":") if $s; $s } @ARGV } 1 .. 300;
                print "held ", scalar @held, "\n"; $| = 1; print "\n"; sleep 30' $sockets >"$work/held.$host" 2>&1 &
        wait_for 20 grep -q '^held' "$work/held.$host"
        start=$(now_ms)
        ticket_ready HELD1
        expect_status 0 login HELD1 'sudo -n id -u'
        expect_ms_below 6000 $(($(now_ms) - start)) "asking, approving and logging in"
        start=$(now_ms)
        expect_status 0 as mallory ssh "${ssh_options[@]}" db1 true
        expect_ms_below 2500 $(($(now_ms) - start)) "an ordinary login"
        on pkill -u mallory perl || :
}

flood_names() { # root's look-ups, as sshd's monitor makes them: two processes, new names each time
        on timeout "$1" sh -c 'for i in 1 2; do perl -e "my \$n = 0; while (1) { getpwnam(\"jit-f$i\" . \$n++); getpwnam(\"nobody-\$n\"); }" & done; wait' &
        flood_pid=$!
}

# Names that strangers make up, at sshd and at the name service, while others log in.
test_flood() {
        local i start quiet=0 ordinary=0 ours=0 worst=0 t
        for i in 1 2 3 4 5; do ticket_ready "FLOOD$i" >/dev/null; done
        for i in 1 2 3 4 5; do
                start=$(now_ms)
                as mallory ssh "${ssh_options[@]}" db1 true
                quiet=$((quiet + $(now_ms) - start))
        done
        flood_names 15
        # And at sshd itself: a stranger's logins, four at a time, from another address (PerSourcePenalties).
        as mallory timeout 15 sh -c 'for w in 1 2 3 4; do (n=0; while :; do n=$((n + 1)); ssh -b 127.0.0.9 -o BatchMode=yes -o ConnectTimeout=5 "jit-w$w-$n@127.0.0.1" true 2>/dev/null; done) & done; wait' &
        sleep 1
        for i in 1 2 3 4 5; do
                start=$(now_ms)
                as mallory ssh "${ssh_options[@]}" db1 true || fail "an ordinary login failed in the flood"
                t=$(($(now_ms) - start)) ordinary=$((ordinary + t)) worst=$((t > worst ? t : worst))
                start=$(now_ms)
                out=$(login "FLOOD$i" 'id -u' 2>&1) || fail "an approved login failed in the flood: $out"
                t=$(($(now_ms) - start)) ours=$((ours + t)) worst=$((t > worst ? t : worst))
        done
        kill "$flood_pid" 2>/dev/null || :
        wait || :
        echo "ms per login: quiet $((quiet / 5)), in the flood: ordinary $((ordinary / 5)), by ticket $((ours / 5)), worst $worst"
        ((worst < 5000)) || fail "a login took $worst ms in the flood"
        nothing_left jit-flood5 "$(tail -n1 <<<"$out")"
        expect_no_match 'jit-[fw]' "$(on jitctl list)"
}
