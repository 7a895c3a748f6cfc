/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * form.h - looking at a page's bytes, to choose the form it is kept in.
 */
#ifndef TMEM_ENGINE_FORM_H
#define TMEM_ENGINE_FORM_H

#include <stddef.h>
#include <stdint.h>

/** tmem_form_same() - 1: the page is one 64-bit word repeated. */
int tmem_form_same(const void *page, size_t size, uint64_t *ret_word);

/**
 * tmem_form_probe() - whether trying to compress a page is worth zstd.
 *
 * Counts the different values among 256 bytes taken from all over the page.
 * Return: 1 worth trying, 0 it looks random.
 */
int tmem_form_probe(const void *page, size_t size);

#endif
