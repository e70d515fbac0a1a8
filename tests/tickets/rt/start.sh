#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# start.sh ROOT FOLDER [PID]: Request Tracker 5 in the foreground, as www-data, on 127.0.0.1:8080 of PID's network namespace (our own
# without PID). ROOT is what image.sh made and stays as it is: what RT writes lies in FOLDER, which an overlay can use. The service
# account's token is FOLDER/token. Ends with its process; ready.sh waits for it.
set -euo pipefail
lower=$(readlink -f "${1:?usage: start.sh ROOT FOLDER [PID]}")
folder=$(readlink -f "${2:?usage: start.sh ROOT FOLDER [PID]}")
pid=${3-}

mkdir -p "$folder"/{upper,work,root}
install -m 0600 "$lower/etc/request-tracker5/checker.token" "$folder/token"
enter=()
[[ -z $pid ]] || enter=(nsenter -t "$pid" --net --)
# shellcheck disable=SC2016  # for the inner shell
exec "${enter[@]}" unshare --mount --propagation private "$BASH" -c '
        set -euo pipefail
        mount -t overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" overlay "$2/root"
        exec chroot --userspec=www-data:www-data "$2/root" /usr/bin/env -i PATH=/usr/bin:/bin LC_ALL=C.UTF-8 HOME=/tmp \
                /usr/share/request-tracker5/libexec/rt-server --server Starlet --host 127.0.0.1 --port 8080 --max-workers 2' \
        start "$lower" "$folder"
