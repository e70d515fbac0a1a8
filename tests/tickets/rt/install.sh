#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# install.sh ROOT PACKAGE...: image.sh's work inside the root: packages, settings, seed. Its caller has mounted ROOT/proc and takes
# every mount away.
set -euo pipefail
root=$1
shift
rt_dir=$(cd "$(dirname "$0")" && pwd)
etc=$root/etc/request-tracker5
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8

in_root() { chroot "$root" "$@"; }

printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod 0755 "$root/usr/sbin/policy-rc.d"
printf '127.0.0.1 localhost\n' >"$root/etc/hosts"
cp -L /etc/resolv.conf "$root/etc/resolv.conf"
in_root apt-get -q update
in_root debconf-set-selections <<'EOF'
request-tracker5 request-tracker5/rtname string rt.test
request-tracker5 request-tracker5/organization string rt.test
request-tracker5 request-tracker5/webbaseurl string http://127.0.0.1:8080
request-tracker5 request-tracker5/correspondaddress string rt@localhost
request-tracker5 request-tracker5/commentaddress string rt-comment@localhost
request-tracker5 request-tracker5/initial-root-password password rootpw123
request-tracker5 request-tracker5/install-cronjobs boolean false
request-tracker5 request-tracker5/handle-siteconfig-permissions boolean true
request-tracker5 request-tracker5/dbconfig-install boolean true
request-tracker5 request-tracker5/database-type select sqlite3
EOF
in_root apt-get -q install -y --no-install-recommends "$@"
rm -f "$root/usr/sbin/policy-rc.d"

cp "$rt_dir"/9*.pm "$etc/RT_SiteConfig.d/"
cp "$rt_dir/access.initialdata" "$etc/"
# With a configuration that it cannot read, RT starts on an empty database.
in_root sh -c 'cd /etc/request-tracker5 && chgrp www-data RT_SiteConfig.pm RT_SiteConfig.d/*.pm && chmod 640 RT_SiteConfig.pm RT_SiteConfig.d/*.pm'
in_root rt-setup-database-5 --action insert --skip-create --datafile /etc/request-tracker5/access.initialdata
in_root chown -R www-data:www-data /var/lib/dbconfig-common/sqlite3/request-tracker5 /var/cache/request-tracker5
in_root apt-get clean
rm -rf "$root"/var/lib/apt/lists/*
