/* SPDX-License-Identifier: Apache-2.0 */

#include <openssl/evp.h>

#include "question-memory.h"

static bool digest_names(unsigned char ret[static MEMORY_DIGEST_SIZE], char *const *names) {
        EVP_MD_CTX *c = EVP_MD_CTX_new();
        bool good = c && EVP_DigestInit_ex(c, EVP_sha256(), NULL) == 1;

        STRV_FOREACH (name, names)
                good = good && EVP_DigestUpdate(c, *name, strlen(*name) + 1) == 1;
        good = good && EVP_DigestFinal_ex(c, ret, NULL) == 1;
        EVP_MD_CTX_free(c);
        return good;
}

int question_memory_new(char *const *host_names, QuestionMemory **ret) {
        QuestionMemory *m = calloc(1, sizeof(*m));

        if (!m)
                return -ENOMEM;
        m->n_refs = 1;
        if (!digest_names(m->begin, host_names)) {
                free(m);
                return -EIO;
        }
        *ret = m;
        return 0;
}

QuestionMemory *question_memory_ref(QuestionMemory *m) {
        if (m)
                m->n_refs++;
        return m;
}

QuestionMemory *question_memory_unref(QuestionMemory *m) {
        if (!m || --m->n_refs > 0)
                return NULL;
        json_decref(m->values);
        approval_record_unref(m->record);
        free(m);
        return NULL;
}

static bool digest_text(EVP_MD_CTX *c, const AnswerText *t) {
        uint64_t length = t->text ? t->length : UINT64_MAX;

        return EVP_DigestUpdate(c, &length, sizeof(length)) == 1 &&
               (!t->text || EVP_DigestUpdate(c, t->text, t->length) == 1);
}

int question_memory_add(QuestionMemory *m, const AnswerText *const *texts, size_t n) {
        EVP_MD_CTX *c = EVP_MD_CTX_new();
        bool good;

        if (!c)
                return -ENOMEM;
        good = m->n < PROVIDER_REQUESTS_MAX && EVP_DigestInit_ex(c, EVP_sha256(), NULL) == 1 &&
               EVP_DigestUpdate(c, m->n > 0 ? m->digests[m->n - 1] : m->begin, MEMORY_DIGEST_SIZE) == 1;
        for (size_t i = 0; i < n && good; i++)
                good = digest_text(c, texts[i]);
        good = good && EVP_DigestFinal_ex(c, m->digests[m->n], NULL) == 1;
        EVP_MD_CTX_free(c);
        if (!good)
                return -EIO;
        m->n++;
        return 0;
}

bool question_memory_follows(const QuestionMemory *m, const QuestionMemory *old) {
        return m->n > 0 && m->n <= old->n &&
               memcmp(m->digests[m->n - 1], old->digests[m->n - 1], MEMORY_DIGEST_SIZE) == 0;
}

void question_memory_keep(QuestionMemory *m, json_t *values, ApprovalRecord *record, const json_t *output) {
        m->values = json_incref(values);
        m->record = approval_record_ref(record);
        /* jansson takes about three bytes for one of text; the record's lists copy it once more. */
        m->size = sizeof(*m) + sizeof(*record) + 4 * json_dumpb(output, NULL, 0, JSON_COMPACT);
}
