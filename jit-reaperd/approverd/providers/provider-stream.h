/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_PROVIDER_STREAM_H
#define JIT_PROVIDER_STREAM_H

/* A ticket system that says when tickets change ([Stream]): server-sent events, or a request that it answers when there
 * is something to say. An event is only a reason to ask again: nothing in it is believed. */

#include "provider-http.h"

typedef struct ProviderStream ProviderStream;

/* Connects when the loop runs, and again whenever the connection ends. */
int provider_stream_new(HttpProvider *p, ProviderStream **ret);
ProviderStream *provider_stream_free(ProviderStream *s);

#endif
