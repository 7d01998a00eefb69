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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(formats_as_text),
		cmocka_unit_test(every_symbol_is_commented),
		cmocka_unit_test(every_error_has_a_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
