/* SPDX-License-Identifier: MIT */
/*
 * libFuzzer target: the parser of lspci's text. Whatever the bytes are, there
 * is either a machine, or an error with its line and nothing in the model.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A property of ours does not hold: the fuzzer keeps the input. */
static void require(int holds)
{
    if (!holds) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pcv_model *model = pcv_model_create(1);
    struct pcv_model_error error = {0, ""};
    int rc;

    if (model == NULL) {
        return 0;
    }
    rc = pcv_model_load_text(model, (const char *)data, size, &error);
    if (rc == 0) {
        require(pcv_model_count(model) > 0);
        (void)pcv_model_ready(model, &error);
    } else {
        require(pcv_model_count(model) == 0);
        require(rc != -PCV_EINVAL || error.line > 0);
        require(strlen(error.text) > 0);
        require(memchr(error.text, '\n', sizeof(error.text)) == NULL);
    }
    pcv_model_destroy(model);
    return 0;
}
