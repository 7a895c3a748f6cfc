/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * replay.c - runs a fuzz target over the files of a folder: the corpus as a test.
 *
 * Exit: 0, 77 there is no such folder, 2 something could not be read.
 */
#include <dirent.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define EXIT_SKIP 77
#define EXIT_TROUBLE 2
#define PATH_BYTES 4096u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static int replay(const char *path)
{
	FILE *f = fopen(path, "re");
	uint8_t *data = NULL;
	struct stat st;
	size_t len;
	int err = -1;

	if (!f)
		return -1;
	if (fstat(fileno(f), &st) || !S_ISREG(st.st_mode))
		goto close_file;
	len = (size_t)st.st_size;
	/* Exactly as long as the input, so that a sanitizer sees an overrun. */
	data = malloc(len ? len : 1);
	if (!data || fread(data, 1, len, f) != len)
		goto close_file;
	(void)LLVMFuzzerTestOneInput(data, len);
	err = 0;
close_file:
	free(data);
	(void)fclose(f);
	return err;
}

int main(int argc, char **argv)
{
	char path[PATH_BYTES];
	struct dirent *entry;
	unsigned files = 0;
	int err = 0;
	DIR *dir;

	if (argc != 2)
		return EXIT_TROUBLE;
	dir = opendir(argv[1]);
	if (!dir)
		return EXIT_SKIP;
	while (!err && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", argv[1],
			       entry->d_name);
		err = replay(path);
		files++;
	}
	(void)closedir(dir);
	if (err)
		(void)fprintf(stderr, "%s: cannot be read\n", path);
	else
		(void)printf("%u files\n", files);
	return err ? EXIT_TROUBLE : 0;
}
