/* SPDX-License-Identifier: Apache-2.0 */

#include "reaper-api.h"

static const VarlinkMethod methods[] = {
        {"Authenticate", vl_method_authenticate, VARLINK_ROOT_ONLY},
        {"Authorize", vl_method_authorize, VARLINK_ROOT_ONLY},
        {"OpenSession", vl_method_open_session, VARLINK_ROOT_ONLY},
        {"AuthorizeElevation", vl_method_authorize_elevation, VARLINK_ROOT_ONLY},
        {"OpenElevation", vl_method_open_elevation, VARLINK_ROOT_ONLY},
        {"Elevate", vl_method_elevate, 0},
        {"Drop", vl_method_drop, 0},
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
