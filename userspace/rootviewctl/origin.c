// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The commands about origins; command.h is the contract.
 */
#include "command.h"
#include "interface.h"
#include "show.h"

int origin_add(const struct options *options, char *args[], int n)
{
	/* The daemon has another working directory.  What does not exist, it says. */
	cleanup_free char *device = realpath(args[1], NULL);
	cleanup_json sd_json_variant *answer = NULL;
	sd_json_variant *parameters;

	(void)n;
	if (sd_json_buildo(&parameters, SD_JSON_BUILD_PAIR_STRING("name", args[0]),
			   SD_JSON_BUILD_PAIR_STRING("device", device ?: args[1]),
			   SD_JSON_BUILD_PAIR_CONDITION(!!options->label, "label",
							SD_JSON_BUILD_STRING(options->label))) < 0)
		return out_of_memory();
	return command_call(options, ROOTVIEW_METHOD("AddOrigin"), parameters, &answer) < 0;
}

int origin_remove(const struct options *options, char *args[], int n)
{
	cleanup_json sd_json_variant *answer = NULL;
	sd_json_variant *parameters;

	(void)n;
	if (sd_json_buildo(&parameters, SD_JSON_BUILD_PAIR_STRING("name", args[0])) < 0)
		return out_of_memory();
	return command_call(options, ROOTVIEW_METHOD("RemoveOrigin"), parameters, &answer) < 0;
}

int origin_list(const struct options *options, char *args[], int n)
{
	cleanup_json sd_json_variant *answer = NULL;

	(void)args;
	(void)n;
	if (command_list(options, ROOTVIEW_METHOD("ListOrigins"), NULL, "origins", &answer) < 0)
		return EXIT_FAILURE;
	if (!options->json && show_origins(sd_json_variant_by_key(answer, "origins")) < 0)
		return out_of_memory();
	return EXIT_SUCCESS;
}
