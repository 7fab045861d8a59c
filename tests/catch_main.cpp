// Catch2 version 2 defines main() if this macro is set.
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
