// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What the commands have in common; command.h is the contract.
 */
#include "command.h"

#include <stdarg.h>

#include "client.h"

int usage_error(const char *problem, const char *word)
{
	fprintf(stderr, "rootviewctl: %s \"%s\"; see rootviewctl --help\n", problem, word);
	return EXIT_USAGE;
}

int out_of_memory(void)
{
	fputs("rootviewctl: out of memory\n", stderr);
	return EXIT_FAILURE;
}

int command_failed(const char *format, ...)
{
	va_list args;

	fputs("rootviewctl: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return EXIT_FAILURE;
}

void print_json(sd_json_variant *value)
{
	sd_json_variant_dump(value, SD_JSON_FORMAT_PRETTY_AUTO | SD_JSON_FORMAT_COLOR_AUTO |
			     SD_JSON_FORMAT_NEWLINE, stdout, NULL);
}

/* Consumes @parameters; @r says whether the call that had them brought @answer. */
static int end_call(const struct options *options, sd_json_variant *parameters, int r,
		    sd_json_variant *const *answer)
{
	sd_json_variant_unref(parameters);
	if (r == 0 && options->json)
		print_json(*answer);
	return r;
}

int command_call(const struct options *options, const char *method, sd_json_variant *parameters,
		 sd_json_variant **ret)
{
	int r = client_call(options->socket, method, parameters, ret);

	return end_call(options, parameters, r, ret);
}

int command_list(const struct options *options, const char *method, sd_json_variant *parameters,
		 const char *field, sd_json_variant **ret)
{
	int r = client_list(options->socket, method, parameters, field, ret);

	return end_call(options, parameters, r, ret);
}
