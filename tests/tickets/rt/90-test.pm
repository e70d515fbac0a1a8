# SPDX-License-Identifier: Apache-2.0
Set($WebPath, '');
Set($WebDomain, '127.0.0.1');
Set($WebPort, 8080);
Set($WebBaseURL, 'http://127.0.0.1:8080');
Set($CanonicalizeRedirectURLs, 0);
Set($MailCommand, 'testfile');        # mails go to a temp file, nothing is sent
Set($LogToSyslog, undef);
Set($LogToSTDERR, 'warning');
Set($StatementLog, undef);
Set($DevelMode, 0);
Set($BcryptCost, 4);      # for tests: 12 costs 0.25 s per request (token and basic auth are bcrypt)
1;
