// Catch2 version 2 has its main() in a macro.
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
