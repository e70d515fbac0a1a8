# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2154  # dollars for the host's shell; host, out...: cases.sh's and tickets.sh's
# Whoever is not to get in is told why when they have proved who they are, the journal has the code, and nothing is left.

# refused ID REASON WORDS: alice's key is accepted, and then the answer is no
refused() {
        local id=$1 reason=$2 words=$3
        expect_status 255 login "$id" 'id; touch /tmp/got-in'
        expect_match "pam_jit: .*$words" "$out"
        expect_match 'ask the test desk' "$out" # Contact= in etc/jit.conf.d
        expect_no_match 'uid=' "$out"
        journal_has "$reason" "$id"
        leaves_nothing "$id"
}

# The account with which they proved who they are ends with its reservation (10 s here) at the latest. Looked at together, at the end.
leaves_nothing() {
        echo "$1" >>"$work/refused.$host"
}

# no_such_user ID: not even known
no_such_user() {
        expect_status 255 as "${by:-alice}" ssh "${ssh_options[@]}" "jit-$1@db1" true
        expect_match 'Permission denied' "$out"
        expect_no_match 'pam_jit' "$out"
        expect_status 2 on getent passwd "jit-$1"
}

test_refused_pending() {
        ticket_new PENDING1
        refused PENDING1 ticket-pending 'PENDING1 .*approv'
}

test_refused_denied() {
        ticket_new DENIED1
        as bob jitctl ticket deny DENIED1 --reason 'change freeze'
        refused DENIED1 ticket-denied 'DENIED1 .*denied'
        # Approved before it was denied, and again after.
        ticket_ready DENIED2
        as carol jitctl ticket deny DENIED2
        refused DENIED2 ticket-denied 'DENIED2 .*denied'
        ticket_approve DENIED2 carol || :
        refused DENIED2 ticket-denied 'DENIED2 .*denied'
}

test_refused_closed() {
        ticket_ready CLOSED1
        as alice jitctl ticket close CLOSED1 --reason 'all done'
        refused CLOSED1 ticket-closed 'CLOSED1 .*closed'
}

test_refused_unknown() {
        no_such_user nosuch1
        no_such_user nosuch1
}

test_refused_other_person() {
        # A ticket of alice's: mallory is not told anything.
        ticket_ready OTHER1
        out=$(as mallory ssh "${ssh_options[@]}" jit-other1@db1 id 2>&1) && fail "a stranger's key got in"
        echo "$out"
        expect_match 'Permission denied' "$out"
        expect_no_match 'pam_jit|OTHER1|approved' "$out"
        leaves_nothing OTHER1
        # One who is not a requester, by name.
        expect_status 255 as mallory ssh "${ssh_options[@]}" jit-other1-mallory@db1 id
        expect_no_match 'pam_jit' "$out"
        expect_status 2 on getent passwd jit-other1-mallory
}

test_refused_early() {
        ticket_ready EARLY1 --from +3h --for 1h
        refused EARLY1 too-early 'EARLY1 is approved, but its window opens at .*Z, in 2 h 59 min'
}

test_refused_late() {
        ticket_ready LATE1 --for 2s
        sleep 2.5
        refused LATE1 too-late 'LATE1 '
}

test_refused_wrong_host() {
        at=db2 ticket_ready HOST1
        refused HOST1 wrong-host 'HOST1 .*(db1|db2)'
        at='web*' ticket_ready HOST2
        refused HOST2 wrong-host 'HOST2 '
        at='d*' ticket_ready HOST3
        expect_status 0 login HOST3 true
}

test_refused_too_few_approvers() {
        role=two ticket_ready FEW1
        refused FEW1 too-few-approvers 'FEW1 .*1 of 2 .*bob'
        # The same person twice is one.
        ticket_approve FEW1 bob || :
        refused FEW1 too-few-approvers 'FEW1 .*1 of 2'
        ticket_approve FEW1 carol
        expect_status 0 login FEW1 true
}

test_refused_self_approved() {
        # carol may approve, but not her own.
        on cp /home/carol/.ssh/id_ed25519.pub /etc/jit/keys.d/carol
        sleep 0.5 # the services follow that folder
        by=carol ticket_new SELF1
        ticket_approve SELF1 carol || :
        expect_status 255 as carol ssh "${ssh_options[@]}" jit-self1@db1 id
        expect_match 'pam_jit: SELF1 ' "$out"
        journal_has 'self-approved|ticket-pending' self1
        leaves_nothing SELF1
        # By document, past the service's first look.
        as carol jitctl ticket new SELF2 --role test --host db1 --title self -o self.json
        as carol jitctl ticket approve --file self.json --yes
        as carol jitctl ticket import self.json || :
        expect_status 255 as carol ssh "${ssh_options[@]}" jit-self2@db1 id
        expect_match 'pam_jit: SELF2 |Permission denied' "$out"
        on rm /etc/jit/keys.d/carol
}

test_refused_unknown_role() {
        role=nosuchrole ticket_new ROLE1 || :
        ticket_approve ROLE1 || :
        refused ROLE1 role-unknown 'ROLE1 .*nosuchrole'
}

test_refused_unknown_approver() {
        # mallory is nobody's approver: the signature is not taken; put into the document by force, it does not count.
        ticket_new STRANGER1
        as mallory jitctl ticket approve STRANGER1 --yes && fail "a stranger's approval was taken"
        as alice sh -c 'jitctl ticket export STRANGER1 -o s1.json || true'
        refused STRANGER1 ticket-pending 'STRANGER1 '
        as alice jitctl ticket new STRANGER2 --role test --host db1 -o s2.json
        as alice sh -c 'cat s2.json' | put /home/mallory/s2.json 0644 mallory
        as mallory jitctl ticket approve --file s2.json --yes
        as alice sh -c 'cat /home/mallory/s2.json >s2.json' 2>/dev/null || on cp /home/mallory/s2.json /home/alice/s2.json
        as alice jitctl ticket import s2.json || :
        if as alice jitctl ticket show STRANGER2 >/dev/null 2>&1; then refused STRANGER2 'approver-unknown|ticket-pending' 'STRANGER2 '; else no_such_user stranger2; fi
}

test_refused_revoked_approver() {
        # dave's key is in /etc/jit/revoked.
        ticket_new REVOKED1
        ticket_approve REVOKED1 dave && fail "an approval by a revoked key was taken"
        refused REVOKED1 ticket-pending 'REVOKED1 '
        # Withdrawn after the approval.
        ticket_ready REVOKED2
        on sh -c 'cp /etc/jit/revoked /root/revoked.before; cat /home/bob/.ssh/id_ed25519.pub >>/etc/jit/revoked'
        refused REVOKED2 approver-revoked 'REVOKED2 '
        on mv /root/revoked.before /etc/jit/revoked
}

# The stored document is changed behind everybody's back: the ticket's own text, then who is said to have approved it.
test_refused_tampered_store() {
        local file change
        for change in 's/"role": *"test"/"role":"root"/' 's/"approver": *"bob"/"approver":"carol"/'; do
                local id=TAMPER$RANDOM
                ticket_ready "$id"
                file=$(on find /var/lib/private/jit-approverd /var/lib/jit-approverd -name "${id,,}*" -type f 2>/dev/null | head -n1)
                [[ $file ]] || fail "the stored ticket was not found"
                on sed -i -E "$change" "$file"
                on systemctl restart jit-approverd.service
                refused "$id" 'ticket-tampered|approver-unknown' "$id "
        done
}

test_refused_tampered_import() {
        as alice jitctl ticket new TRAVEL1 --role test --host db1 --for 1h --title travel -o t.json
        on install -o bob /home/alice/t.json /home/bob/t.json
        as bob jitctl ticket approve --file t.json --yes
        on install -o alice /home/bob/t.json /home/alice/good.json
        as alice sh -c 'sed "s/\"role\": *\"test\"/\"role\":\"root\"/" good.json >bad.json; ! cmp -s good.json bad.json'
        as alice jitctl ticket import bad.json || :
        if as alice jitctl ticket show TRAVEL1 >/dev/null 2>&1; then refused TRAVEL1 ticket-tampered 'TRAVEL1 '; else no_such_user travel1; fi
        # What was tampered with must not keep the true one out.
        as alice jitctl ticket import good.json
        expect_status 0 login TRAVEL1 true
}

test_refused_names() {
        local name
        for name in 'jit-' 'jit--a' 'jit-a-' 'jit-a--b' 'jit-a.b' 'jit-a_b' 'jit-../etc' 'jit-a b' 'jit-ä' 'jit-a~' 'jit-%u' \
                "jit-$(printf 'a%.0s' {1..28})" "jit-$(printf 'a%.0s' {1..4000})" $'jit-a\x01b' 'jit-a/b' 'jit-a$' 'jit-$(id)'; do
                echo "== ${name:0:60}"
                expect_status 2 on getent passwd "$name"
                expect_status 255 as alice ssh "${ssh_options[@]}" -l "$name" db1 true
                expect_no_match 'pam_jit' "$out"
        done
        expect_status 2 as alice jitctl ticket new 'a b' --role test --host db1
        expect_status 2 as alice jitctl ticket new "$(printf 'a%.0s' {1..28})" --role test --host db1
        expect_status 2 as alice jitctl ticket new ../../x --role test --host db1
        on systemctl is-active jit-reaperd.service jit-approverd.service
}

# Documents from strangers. Each is refused with a sentence; the daemon is the same process after as before.
import_refused() {
        local before status=0
        before=$(daemon_pid jit-approverd)
        out=$(as alice timeout 30 jitctl ticket import "$1" 2>&1) || status=$?
        echo "$1: $status: ${out:0:300}"
        [[ $status != 0 && $status != 124 ]] || fail "$1 was taken, or took too long (status $status)"
        [[ $out ]] || fail "$1: refused without a word"
        expect_no_match 'uid=|Segmentation' "$out"
        [[ $(daemon_pid jit-approverd) == "$before" ]] || fail "$1 has ended jit-approverd"
}

test_refused_documents() {
        as alice jitctl ticket new DOC1 --role test --host db1 -o doc.json
        as alice perl -e '
                sub w { my ($n, @t) = @_; open F, ">", $n or die; print F @t; close F }
                local $/; open D, "<", "doc.json"; my $d = <D>; close D;
                w("empty.json", ""); w("nul.json", "\0" x 100); w("text.json", "hello"); w("number.json", "1"); w("array.json", "[]");
                w("half.json", substr($d, 0, length($d) / 2)); w("two.json", $d, $d);
                (my $k = $d) =~ s/"role": *"test"/"role":"test","role":"root"/; w("duplicate.json", $k);
                ($k = $d) =~ s/"title": *"[^"]*"/"title":"a\xff\xfeb"/; w("utf8.json", $k);
                ($k = $d) =~ s/"title": *"[^"]*"/"title":"a\\u0000b"/; w("nulchar.json", $k);
                ($k = $d) =~ s/"title": *"[^"]*"/"title":"a\\u001b[2Jb"/; w("escape.json", $k);
                ($k = $d) =~ s/"title": *"[^"]*"/"title":"\\ud800"/; w("surrogate.json", $k);
                ($k = $d) =~ s/"version": *1/"version":1e999/; w("float.json", $k);
                ($k = $d) =~ s/"version": *1/"version":99999999999999999999/; w("big.json", $k);
                ($k = $d) =~ s/"version": *1/"version":1,"extra":1/; w("extra.json", $k);
                ($k = $d) =~ s/"not_after": *"[^"]*"/"not_after":"9999-12-31T23:59:59Z"/; w("window.json", $k);
                ($k = $d) =~ s/"id": *"DOC1"/"id":"..\/..\/x"/; w("path.json", $k);
                w("deep.json", "{\"ticket\":" . "[" x 200000); w("deep2.json", "{\"ticket\":" . "[" x 100000 . "]" x 100000 . "}");
                w("deep3.json", "{\"ticket\":" . "{\"a\":" x 100000 . "1" . "}" x 100001);
        '
        for file in empty nul text number array half two duplicate utf8 nulchar escape surrogate float big extra window path deep deep2 deep3; do
                import_refused $file.json
        done
        no_such_user doc1
}

test_refused_huge_ticket() {
        local start
        start=$(now_ms)
        as alice perl -e 'open F, ">", "huge.json"; print F q({"ticket":{"title":"); print F "x" x 1048576 for 1 .. 100; print F q("}})'
        import_refused huge.json
        # Straight at the socket, without jitctl in between.
        out=$(as alice perl -MIO::Socket::UNIX -e '
                $SIG{PIPE} = "IGNORE";
                my $s = IO::Socket::UNIX->new(Peer => "/run/jit/io.pamjit.Approver") or die "connect: $!";
                my $n = 0;
                $s->syswrite(q({"method":"io.pamjit.Approver.ImportTicket","parameters":{"document":{"x":"));
                for (1 .. 100) { my $w = $s->syswrite("x" x 1048576) or last; $n += $w; last if $w < 1048576 }
                print "wrote $n\n"; alarm 5; $SIG{ALRM} = sub { print "held open\n"; exit }; my $got = $s->sysread(my $b, 100000);
                print "closed\n" if !$got; print "$b\n" if $got' 2>&1)
        echo "$out"
        expect_no_match 'wrote 104857600|held open' "$out"
        expect_ms_below 30000 $(($(now_ms) - start)) "100 MB twice"
        on rm -f /home/alice/huge.json
        ticket_ready HUGE1
        expect_status 0 login HUGE1 true
}

# The last one: what all those refusals have left.
test_refused_leave_nothing() {
        local id
        [[ -s $work/refused.$host ]] || skip "no refusals before"
        while read -r id; do
                LEFT_WAIT=14 nothing_left "$(account "$id")" ""
        done <"$work/refused.$host"
        expect_no_match 'jit-' "$(on jitctl list)"
        on sh -c '! ls /tmp/got-in 2>/dev/null'
        on sh -c 'test -z "$(ls /run/jit/keys /run/jit/sudoers.d /run/jit/home /run/jit/uids /run/jit/grants | grep -v :)"' ||
                fail "left: $(on ls -R /run/jit | tr '\n' ' ')"
        on jitctl audit verify
}
