/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_REAPER_API_H
#define JIT_REAPER_API_H

#include "varlink.h"

#define REAPER "io.pamjit.Reaper."

/* io.pamjit.Reaper for pam_jit and jitctl; shared/io.pamjit.Reaper.varlink says what each method takes and gives. userdata: the Manager. */
extern const VarlinkInterface reaper_interface;

/* api-pam.c */
int vl_method_authenticate(VarlinkLink *l, json_t *parameters, bool more, void *userdata);
int vl_method_authorize(VarlinkLink *l, json_t *parameters, bool more, void *userdata);
int vl_method_open_session(VarlinkLink *l, json_t *parameters, bool more, void *userdata);
/* api-gate.c */
int vl_method_authorize_elevation(VarlinkLink *l, json_t *parameters, bool more, void *userdata);
int vl_method_open_elevation(VarlinkLink *l, json_t *parameters, bool more, void *userdata);
/* api-elevate.c */
int vl_method_elevate(VarlinkLink *l, json_t *parameters, bool more, void *userdata);
/* api-people.c */
int vl_method_drop(VarlinkLink *l, json_t *parameters, bool more, void *userdata);
int vl_method_list_grants(VarlinkLink *l, json_t *parameters, bool more, void *userdata);
int vl_method_get_grant(VarlinkLink *l, json_t *parameters, bool more, void *userdata);
int vl_method_revoke(VarlinkLink *l, json_t *parameters, bool more, void *userdata);
int vl_method_get_status(VarlinkLink *l, json_t *parameters, bool more, void *userdata);

#endif
