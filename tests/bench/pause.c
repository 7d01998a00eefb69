// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What runs in a container of the benchmark: nothing, until it is ended.
 */
#include <unistd.h>

int main(void)
{
	for (;;)
		pause();
}
