/* SPDX-License-Identifier: Apache-2.0 */

#include "reaper-api.h"

static const VarlinkMethod methods[] = {
        {"Authorize", vl_method_authorize, VARLINK_ROOT_ONLY},
        {"OpenSession", vl_method_open_session, VARLINK_ROOT_ONLY},
        {"ListGrants", vl_method_list_grants, 0},
        {"GetGrant", vl_method_get_grant, 0},
        {"Revoke", vl_method_revoke, 0},
        {"GetStatus", vl_method_get_status, 0},
        {},
};

extern const char io_pamjit_Reaper_varlink[];

const VarlinkInterface reaper_interface = {
        .name = "io.pamjit.Reaper",
        .description = io_pamjit_Reaper_varlink,
        .methods = methods,
};
