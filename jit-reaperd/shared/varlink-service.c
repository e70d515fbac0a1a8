/* SPDX-License-Identifier: Apache-2.0 */

/* Introspection as https://varlink.org/Service says, so that varlinkctl(1) and others can ask what there is. */

#include "cleanup.h"
#include "json.h"
#include "varlink-server.h"

#ifndef JIT_VERSION
#define JIT_VERSION "0"
#endif

static const char service_description[] =
        "# The Varlink Service Interface is provided by every varlink service.\n"
        "interface org.varlink.service\n"
        "\n"
        "method GetInfo() -> (vendor: string, product: string, version: string, url: string, interfaces: []string)\n"
        "method GetInterfaceDescription(interface: string) -> (description: string)\n"
        "\n"
        "error InterfaceNotFound (interface: string)\n"
        "error MethodNotFound (method: string)\n"
        "error MethodNotImplemented (method: string)\n"
        "error InvalidParameter (parameter: string)\n"
        "error PermissionDenied ()\n"
        "error ExpectedMore ()\n";

static int get_info(VarlinkLink *l, const VarlinkInterface *const *interfaces) {
        json_t *names = json_array();

        (void) json_array_append_new(names, json_string("org.varlink.service"));
        for (const VarlinkInterface *const *i = interfaces; *i; i++)
                (void) json_array_append_new(names, json_string((*i)->name));
        return varlink_reply(l, json_pack("{s:s,s:s,s:s,s:s,s:o}", "vendor", "pam_jit", "product", "pam_jit", "version",
                                          JIT_VERSION, "url", "man:jit-reaperd(8)", "interfaces", names));
}

static int get_interface_description(VarlinkLink *l, const VarlinkInterface *const *interfaces, const char *name) {
        if (streq(name, "org.varlink.service"))
                return varlink_reply(l, json_pack("{s:s}", "description", service_description));
        for (const VarlinkInterface *const *i = interfaces; *i; i++)
                if (streq((*i)->name, name))
                        return varlink_reply(l, json_pack("{s:s}", "description", (*i)->description));
        return varlink_error(l, "org.varlink.service.InterfaceNotFound", json_pack("{s:s}", "interface", name));
}

int varlink_service_call(VarlinkLink *l, const VarlinkInterface *const *interfaces, const char *method,
                         const json_t *parameters) {
        struct {
                char *name;
        } p = {};
        static const JsonField table[] = {{"interface", JSON_FIELD_STRING, 0, 255, JSON_REQUIRED}, {}};
        int r;

        if (streq(method, "org.varlink.service.GetInfo"))
                return get_info(l, interfaces);
        if (!streq(method, "org.varlink.service.GetInterfaceDescription"))
                return -ENOENT;
        r = json_dispatch(parameters, table, &p, NULL);
        if (r >= 0)
                r = get_interface_description(l, interfaces, p.name);
        free(p.name);
        return r;
}
