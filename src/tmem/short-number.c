/* SPDX-License-Identifier: BSD-2-Clause */
/* short-number.c - numbers in five characters, for narrow columns. */
#include "short-number.h"

#include <stdio.h>

/* At most five characters: 999, 9999, 12.3k, 123k, 1.2M. */
const char *short_count(double value, char buf[SHORT_MAX])
{
	static const char units[] = "kMGTPE";
	int unit = -1;

	if (value < 0) {
		(void)snprintf(buf, SHORT_MAX, "-");
		return buf;
	}
	while (value >= 9999.5 || (unit >= 0 && value >= 999.5)) {
		value /= 1000;
		unit++;
		if (!units[unit + 1])
			break;
	}
	if (unit < 0)
		(void)snprintf(buf, SHORT_MAX, "%.0f", value);
	else
		(void)snprintf(buf, SHORT_MAX,
			       value < 99.95 ? "%.1f%c" : "%.0f%c", value,
			       units[unit]);
	return buf;
}

/* At most five characters: 0, 1023K, 99.9M, 512M. */
const char *short_size(double bytes, char buf[SHORT_MAX])
{
	static const char *const units[] = { "", "K", "M", "G", "T", "P", "E" };
	int unit = 0;

	while (bytes >= 1023.5 && unit < 6) {
		bytes /= 1024;
		unit++;
	}
	(void)snprintf(buf, SHORT_MAX,
		       unit && bytes < 99.95 ? "%.1f%s" : "%.0f%s", bytes,
		       units[unit]);
	return buf;
}

const char *short_percent(double pct, char buf[SHORT_MAX])
{
	if (pct < 0)
		(void)snprintf(buf, SHORT_MAX, "-");
	else if (pct < 99.95)
		(void)snprintf(buf, SHORT_MAX, "%.1f", pct);
	else
		(void)snprintf(buf, SHORT_MAX, pct < 9999 ? "%.0f" : ">9999",
			       pct);
	return buf;
}
