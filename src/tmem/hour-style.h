/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hour-style.h - how the page of the last hour looks, by light and in the dark.
 */
#ifndef TMEM_COMMAND_HOUR_STYLE_H
#define TMEM_COMMAND_HOUR_STYLE_H

/** hour_style - a style sheet that needs nothing from elsewhere. */
extern const char hour_style[];

#endif
