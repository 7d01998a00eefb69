// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * That the interface can be written down, and says something of each symbol.
 */
#include "interface.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "util.h"

static void formats_as_text(void **state)
{
	cleanup_free char *text = NULL;

	(void)state;
	assert_true(sd_varlink_idl_format(&vl_interface_io_rootview, &text) >= 0);
	assert_non_null(strstr(text, "interface io.rootview"));
	assert_non_null(strstr(text, "method CreateView("));
	assert_non_null(strstr(text, "error NeedsRecovery("));
}

static void every_symbol_is_commented(void **state)
{
	const sd_varlink_symbol *const *symbols = vl_interface_io_rootview.symbols;

	(void)state;
	for (size_t i = 0; symbols[i]; i++) {
		if (symbols[i]->symbol_type == _SD_VARLINK_SYMBOL_COMMENT ||
		    symbols[i]->symbol_type == _SD_VARLINK_INTERFACE_COMMENT)
			continue;
		assert_true(i > 0);
		assert_int_equal(symbols[i - 1]->symbol_type, _SD_VARLINK_SYMBOL_COMMENT);
	}
}

static void every_error_has_a_message(void **state)
{
	const sd_varlink_symbol *const *symbols = vl_interface_io_rootview.symbols;

	(void)state;
	for (size_t i = 0; symbols[i]; i++) {
		const sd_varlink_field *field = symbols[i]->fields;
		bool found = false;

		if (symbols[i]->symbol_type != SD_VARLINK_ERROR)
			continue;
		for (; field->field_type; field++)
			found = found || streq(field->name, "message");
		assert_true(found);
	}
}

static void size_is_that_of_what_is_written(void **state)
{
	static const char *const texts[] = {
		"null", "true", "false", "0", "7", "18446744073709551615", "-1",
		"-9223372036854775808", "1.5", "-0.25", "1e300", "\"\"", "\"a\"",
		"[]", "{}", "[[],{},\"\"]", "[1,2,3]",
		"\"\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u001f\\u007f/\"",
		"\"\u00e4\u20ac\U0001f600\"",
		"{\"a\":1}", "{\"a\\n\":{\"b\":[null,true,{\"c\":\"d e\"}]},\"f\":-12.75}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		cleanup_free char *written = NULL;
		sd_json_variant *json = NULL;

		assert_true(sd_json_parse(texts[i], 0, &json, NULL, NULL) >= 0);
		assert_true(sd_json_variant_format(json, 0, &written) >= 0);
		assert_int_equal(json_size(json), strlen(written));
		sd_json_variant_unref(json);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(formats_as_text),
		cmocka_unit_test(every_symbol_is_commented),
		cmocka_unit_test(every_error_has_a_message),
		cmocka_unit_test(size_is_that_of_what_is_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
