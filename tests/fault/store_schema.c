/* The schema: upgrades, versions, rights. */
#include "lib/first.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/fault/store_fixture.h"
#include "tests/fault/store_tests.h"

int
store_schema_tests(void)
{
	return 0;
}
