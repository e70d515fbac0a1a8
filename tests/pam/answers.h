/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_PAM_ANSWERS_H
#define JIT_PAM_ANSWERS_H

/* Answers of the scripted reaper that several tests use. */

#include "scripted-reaper.h"

#define ANSWER(parameters) "{\"parameters\":{" parameters "}}"
#define VERDICT(allow, reason, message)                                                                                \
        ANSWER("\"allow\":" allow ",\"reason\":\"" reason "\",\"message\":\"" message "\"")
#define YES                                                                                                            \
        ANSWER("\"allow\":true,\"reason\":\"approved\",\"message\":\"CHG1 approved by "                                \
               "bob\",\"until\":1795356000000000")
#define YES_WITH_DECISION                                                                                              \
        ANSWER("\"allow\":true,\"reason\":\"approved\",\"message\":\"CHG1 approved by bob\","                          \
               "\"decision\":\"0123456789abcdef0123456789abcdef\"")
#define NO(reason) VERDICT("false", reason, "CHG1 is no good")
#define TICKET_NEEDED VERDICT("false", "ticket-needed", "an approved ticket is needed")
#define NOT_NEEDED VERDICT("true", "not-needed", "no ticket is needed")
#define WAITING                                                                                                        \
        "{\"parameters\":{\"allow\":false,\"reason\":\"ticket-pending\",\"message\":\"CHG1 waits for bob\","           \
        "\"until\":4000000000000000},\"continues\":true}"
#define ERROR(name)                                                                                                    \
        "{\"error\":\"io.pamjit.Reaper." name "\",\"parameters\":{\"reason\":\"try-again\","                           \
        "\"message\":\"CHG1 is just ending\"}}"

#define SESSION                                                                                                        \
        ANSWER("\"session\":1,\"home\":\"/run/jit/home/jit-chg1\",\"until\":1795356000000000,"                         \
               "\"pamData\":{\"systemd.runtime_max_sec\":\"2520s\"},\"env\":{\"JIT_TICKET\":\"CHG1\"}")
#define SCOPE                                                                                                          \
        ANSWER("\"unit\":\"jit-0123456789abcdef-7.scope\",\"until\":1795356000000000,\"env\":{\"JIT_TICKET\":"         \
               "\"CHG1\"}")
#define NO_SCOPE ANSWER("\"env\":{}")

/* What is no yes, whatever was asked. */
#define NO_ANSWERS                                                                                                     \
        {.text = "{}"}, {.text = "{\"parameters\":null}"}, {.text = "[]"}, {.text = "yes"}, {.text = "", .length = 1}, \
                        {.text = ANSWER("\"allow\":1,\"reason\":\"approved\",\"message\":\"m\"")},                     \
                        {.text = ANSWER("\"allow\":\"true\",\"reason\":\"approved\",\"message\":\"m\"")},              \
                        {.text = ANSWER("\"allow\":true,\"reason\":\"approved\"")},                                    \
                        {.text = ANSWER("\"allow\":true,\"reason\":\"approved\",\"message\":\"m\",\"x\":1")},          \
                        {.text = ANSWER("\"allow\":true,\"allow\":true,\"reason\":\"approved\",\"message\":\"m\"")},   \
                        {.text = ANSWER("\"unit\":7,\"env\":{}")}, {.text = ANSWER("\"unit\":\"x.scope\"")},           \
                        {.text = ANSWER("\"env\":[]")}, {.text = ANSWER("\"env\":{},\"until\":-1")},                   \
                        {.text = "{\"error\":\"org.varlink.service.MethodNotFound\",\"parameters\":{}}"},              \
                        {.text = "{\"error\":\"io.pamjit.Reaper.Refused\",\"parameters\":{}}"},                        \
                        {.text = "{\"parameters\":", .length = 14, .hang_up = true},                                   \
                        {.text = "", .length = 0, .hang_up = true}, {                                                  \
                .text = WAITING                                                                                        \
        }

#endif
