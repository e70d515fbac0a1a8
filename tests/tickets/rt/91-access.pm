# SPDX-License-Identifier: Apache-2.0
Set(%Lifecycles, access => {
    type => 'ticket',
    initial  => [ 'requested' ],
    active   => [ 'approved' ],
    inactive => [ 'denied', 'closed', 'deleted' ],
    defaults => { on_create => 'requested', approved => 'approved', denied => 'denied',
                  reminder_on_open => 'approved', reminder_on_resolve => 'closed' },
    transitions => {
        ''        => [qw(requested)],
        requested => [qw(approved denied closed deleted)],
        approved  => [qw(denied closed deleted)],
        denied    => [qw(closed deleted)],
        closed    => [],
        deleted   => [],
    },
    rights => {
        '* -> deleted'  => 'DeleteTicket',
        '* -> approved' => 'ApproveAccess',
        '* -> denied'   => 'ApproveAccess',
        '* -> *'        => 'ModifyTicket',
    },
    actions => [
        'requested -> closed' => { label => 'Withdraw' },
        'approved -> closed'  => { label => 'Close' },
    ],
});
1;
